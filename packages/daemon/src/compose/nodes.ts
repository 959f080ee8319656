/** The other nodes, as the settings say: membership, placement, and what is handed to and from them. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Cache, Scripts } from '../cache/index.ts';
import type { Settings } from '../config/index.ts';
import type { EventBus } from '../events/index.ts';
import { Forwarder, NodeMarks, type NodeTls, nodeKeys, ReceivedForwards } from '../forwarding/index.ts';
import type { HttpNodes, NodeCalls } from '../http/index.ts';
import { TRANSACTION_PATH } from '../http/transactions/index.ts';
import {
  fingerprint,
  Membership,
  type NodeAddress,
  PrimaryNodeDirectory,
  RedisNodeDirectory,
  UpstreamCluster,
} from '../nodes/index.ts';
import { ConnectionsElsewhere, NodePlacement, type Routing } from '../routing/index.ts';
import type { DebuggingRuntimes } from '../runtimes/debugging/index.ts';
import type { Metrics, OwnedLog } from '../telemetry/index.ts';
import { VERSION } from '../version.ts';
import { coresOf, placesOf, type WorkerSeat } from './worker-seat.ts';

export interface NodeParts {
  readonly settings: Settings;
  readonly nodeId: string;
  readonly serverKey: string;
  readonly formerServerKey: string | undefined;
  /** Redis, where the existing daemon's nodes may be too; without it the workers of one daemon are all there is. */
  readonly scripts: (Cache & Scripts) | undefined;
  readonly seat: WorkerSeat | undefined;
  readonly events: EventBus;
  readonly debugging: DebuggingRuntimes;
  /** Calls open here. */
  readonly load: () => number;
  readonly log: OwnedLog;
  readonly metrics: Metrics;
}

const MOST_DEBUGGING = 2000;
/** Between two lines about calls that came with a wrong mark. */
const TOLD_EVERY_MS = 10_000;

/** This node among the others. */
export class Nodes {
  readonly membership: Membership;
  readonly placement: NodePlacement;
  readonly connections: ConnectionsElsewhere;
  readonly #parts: NodeParts;
  readonly #forwarder: Forwarder;
  readonly #received: ReceivedForwards;
  readonly #upstream: UpstreamCluster | undefined;
  readonly #warm = new Set<string>();
  readonly tls: NodeTls | undefined;
  #draining = false;
  #leaving = false;
  #joined = false;
  /** When it was last said that a call was refused. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #addresses: readonly NodeAddress[] = [];
  /** Where the existing daemon's nodes find us: they speak plain HTTP alone. */
  #plainAddresses: readonly NodeAddress[] = [];

  constructor(parts: NodeParts) {
    const { settings, nodeId, debugging, scripts, events, seat } = parts;
    this.#parts = parts;
    const log = parts.log.child({ component: 'nodes' });
    const role = settings.NODE_ROLE;
    const name = nodeNameOf(settings);
    const cores = coresOf(seat);
    const places = placesOf(name, seat);
    this.tls = nodeTls(settings);
    const marks = new NodeMarks(
      nodeKeys(settings.NODE_KEY === undefined ? [parts.serverKey, parts.formerServerKey] : [settings.NODE_KEY]),
    );
    this.connections = new ConnectionsElsewhere((tenantId, pluginId) => debugging.expect(tenantId, pluginId));
    this.#upstream =
      scripts &&
      new UpstreamCluster({
        nodeId,
        scripts,
        addresses: () => this.#plainAddresses,
        debugging: () => this.#debugging(),
        warm: () => (this.#draining ? [] : [...this.#warm]),
        onChanged: () => {
          events.untold(this.#foreign.length > 0);
          this.#look();
        },
        isOurs: (id) => this.membership.list().some((member) => member.id === id && !member.foreign),
        log,
      });
    this.membership = new Membership({
      nodeId,
      directory: directoryOf(parts),
      entry: {
        name,
        version: VERSION,
        role,
        state: 'serving',
        addresses: [],
        tls: this.tls !== undefined,
        cores,
        debugging: [],
        ...(places !== undefined && { place: places.own }),
      },
      load: parts.load,
      foreign: () => this.#foreign,
      onMissed: () => events.missed(),
      log,
    });
    this.#forwarder = new Forwarder({
      nodeId,
      marks,
      tls: this.tls,
      log,
      onEnd: (outcome, seconds) => {
        parts.metrics.forwarded_calls_total.inc({ outcome });
        parts.metrics.forwarded_call_duration_seconds.observe({}, seconds);
      },
    });
    this.#received = new ReceivedForwards({
      nodeId,
      marks,
      // What functions call back reaches their open calls until these have ended; nodes look first whether we are there.
      draining: (target) =>
        this.#draining &&
        !(settings.PLATFORM === 'serverless' && (target.startsWith(TRANSACTION_PATH) || target === '/livez')),
      onRefused: (reason, peer) => {
        const known = reason === 'draining' || reason === 'not-mine';
        if (known) return log.info({ reason, peer }, 'a call of another node was refused: it asks elsewhere');
        // Anybody can send such requests, as many as they like.
        const now = performance.now();
        if (now - this.#toldAt < TOLD_EVERY_MS) return;
        this.#toldAt = now;
        const remedy =
          reason === 'expired'
            ? 'set the clocks of the nodes: they differ by more than five minutes'
            : 'give all nodes the same NODE_KEY, or the same SERVER_KEY';
        log.warn({ reason, peer, remedy }, 'a call that another node handed over was refused');
      },
    });
    this.placement = new NodePlacement({
      self: { id: nodeId, name, role, cores, place: places?.own },
      places: places?.all,
      draining: () => this.#draining,
      load: parts.load,
      members: () => this.membership.list(),
      openAt: (id) => this.#forwarder.openAt(id),
      isSuspect: (id) => this.#forwarder.isSuspect(id),
      rule: settings.PLACEMENT_RULE,
      pins: settings.PLACEMENT_PINS,
      maxNodes: settings.PLACEMENT_MAX_NODES,
      prepare: (identifier, chosen) => events.publish('version-wanted', { identifier, nodes: [chosen] }),
    });
    debugging.onChange(() => this.#tellDebugging());
    this.membership.watch(() => this.#look());
  }

  /** What this node is called, with the number of its worker where there are several. */
  get ownName(): string {
    const { place, name } = this.membership.self;
    return place ?? name;
  }

  /** Versions that are ready here. */
  get ready(): readonly string[] {
    return [...this.#warm];
  }

  /** A plugin became ready here, or is not any more. */
  onPluginState(identifier: string, ready: boolean): void {
    const before = this.#warm.size;
    if (ready) this.#warm.add(identifier);
    else this.#warm.delete(identifier);
    if (this.#warm.size === before) return;
    this.membership.ready(fingerprint(identifier), ready);
  }

  /** @param http where clients are listened to @param own where nodes are, if that is another port */
  async join(http: AddressInfo, own: AddressInfo | undefined): Promise<void> {
    const { settings } = this.#parts;
    this.#plainAddresses = addressesOf(settings.SERVER_HOST, http.port);
    this.#addresses =
      advertised(settings.NODE_ADDRESS, own ?? http) ?? addressesOf((own ?? http).address, (own ?? http).port);
    await this.membership.join({ addresses: this.#addresses, debugging: this.#debugging() });
    this.#look();
    this.#joined = true;
    await this.#upstream?.start();
  }

  /** For the routes. */
  calls(routing: Pick<Routing, 'again'>): NodeCalls {
    return {
      received: (request) => this.#received.of(request),
      member: (nodeId) => this.membership.list().find(({ id }) => id === nodeId),
      again: (placement, tried) => routing.again(placement, tried),
      forward: (call) => this.#forwarder.forward(call),
      others: () => this.membership.list().filter(({ foreign }) => !foreign),
      ask: (member, question) => this.#forwarder.ask(member, question),
      listen: (member, question, signal) => this.#forwarder.listen(member, question, signal),
      onSilent: ({ id, name }, reason) =>
        this.#parts.log.warn(
          { node: name, node_id: id, reason },
          'a node did not say what it knows: an answer is not whole',
        ),
    };
  }

  /** For the server. */
  http(): HttpNodes {
    const isLeaving = () => this.#leaving;
    return {
      receive: (request, response, target) => this.#received.receive(request, response, target),
      isFromNode: (request) => this.#received.of(request) !== undefined,
      clientOf: (request) => this.#received.of(request)?.client,
      catchUp: () => this.membership.catchUp(),
      get leaving() {
        return isLeaving();
      },
    };
  }

  /** Takes no new calls of plugins, where others can; the others are told, and so are balancers. */
  async drain(): Promise<void> {
    this.#leaving = true;
    // The workers of one daemon stop together: they go on helping each other until the last client has its answer.
    if (this.#parts.scripts === undefined) return;
    this.#draining = true;
    await this.membership.updateNow({ state: 'draining' });
    await this.#upstream?.refresh();
  }

  /** What keeps this node from serving with the others. */
  problem(): string | undefined {
    return this.membership.problem();
  }

  async leave(): Promise<void> {
    await Promise.all([this.membership.leave(), this.#upstream?.leave()]);
    await this.#forwarder.close();
  }

  get #foreign() {
    return this.#upstream?.members ?? [];
  }

  #debugging() {
    return this.#parts.debugging
      .all()
      .slice(0, MOST_DEBUGGING)
      .map(({ tenantId, pluginId, identifier }) => ({ tenantId, pluginId, identifier }));
  }

  #tellDebugging(): void {
    if (!this.#joined) return;
    this.membership.update({ debugging: this.#debugging() }, true);
    void this.#upstream?.refresh();
  }

  #look(): void {
    const members = this.membership.list();
    this.connections.update(members);
    this.#forwarder.keepOnly(members);
    const { metrics } = this.#parts;
    metrics.cluster_nodes.set({}, members.length + 1);
    metrics.cluster_debugging_plugins.set(
      {},
      members.reduce((sum, { debugging }) => sum + debugging.length, 0),
    );
    metrics.cluster_ready_plugins.set(
      {},
      members.reduce((sum, { warm }) => sum + warm.size, 0),
    );
  }
}

function directoryOf({ scripts, events, seat }: NodeParts) {
  if (scripts !== undefined) return new RedisNodeDirectory({ scripts, events });
  if (seat === undefined) throw new Error('nodes need Redis or a primary process to know each other by');
  return new PrimaryNodeDirectory({ channel: seat.channel, events });
}

export const nodeNameOf = (settings: Settings): string => settings.NODE_NAME ?? hostname();

function nodeTls(settings: Settings): NodeTls | undefined {
  const [cert, key] = [settings.NODE_TLS_CERTFILE, settings.NODE_TLS_KEYFILE];
  const ca = settings.NODE_TLS_CA_CERTS;
  if (cert === undefined || key === undefined) return undefined;
  const read = (file: string) => readFileSync(file, 'utf8');
  return { cert: read(cert), key: read(key), ca: ca === undefined ? undefined : read(ca) };
}

/** What the operator says, with the port in use where none is given. */
function advertised(text: string | undefined, { port }: AddressInfo): readonly NodeAddress[] | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/i.exec(text ?? '');
  if (match === null) return undefined;
  return [{ host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: match[2] === undefined ? port : Number(match[2]) }];
}

/** Where a bound address is reached: itself, or every interface of the machine. */
function addressesOf(host: string, port: number): readonly NodeAddress[] {
  const everywhere = host === '0.0.0.0' || host === '::' || host === '';
  if (!everywhere) return [{ host: host === 'localhost' ? '127.0.0.1' : host, port }];
  const found = Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => ({ host: address, port }));
  return found.length > 0 ? found : [{ host: '127.0.0.1', port }];
}
