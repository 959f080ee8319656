import { fingerprint, type NodeEntry, partOf } from '@plugin-daemon/daemon/decisions';
import type { Call, Plugin } from './call.ts';
import type { Clock } from './clock.ts';
import type { Directory } from './directory.ts';
import type { Happened } from './figures.ts';
import { SimulatedMembership } from './membership.ts';
import type { Network } from './network.ts';
import { type SimulationOptions, transport } from './options.ts';
import { SimulatedPool } from './pool.ts';

export interface NodeParts {
  readonly id: string;
  readonly options: SimulationOptions;
  readonly clock: Clock;
  readonly network: Network;
  readonly directory: Directory;
  readonly happened: Happened;
  readonly onDone: (call: Call) => void;
  /** When it does for the first time what it does again and again, in ms from now. */
  readonly phase: number;
}

/** One daemon: what runs on it, and what it knows of the others. */
export class SimulatedNode {
  readonly id: string;
  readonly membership: SimulatedMembership;
  /** `stopping`: it takes no calls of plugins; `closed`: no connections either; `gone`: nothing runs. */
  state: 'serving' | 'stopping' | 'closed' | 'gone' = 'serving';
  /** Calls that are worked on or wait here. */
  readonly open = new Set<Call>();
  /** Calls that came in here and are open, here or elsewhere. */
  readonly entered = new Set<Call>();
  processes = 0;
  readonly #parts: NodeParts;
  readonly #pools = new Map<Plugin, SimulatedPool>();
  readonly #warm = new Set<Plugin>();
  /** The same, as it is told. */
  readonly #prints = new Set<string>();
  readonly #openAt = new Map<string, number>();
  readonly #suspect = new Map<string, number>();
  readonly #stops: (() => void)[];

  constructor(parts: NodeParts) {
    const { id, clock, network, directory, phase } = parts;
    this.#parts = parts;
    this.id = id;
    this.membership = new SimulatedMembership({
      id,
      clock,
      directory,
      reachesRedis: () => network.reachesRedis(id),
      entry: () => this.#entry(),
      warm: this.#prints,
      load: () => this.open.size,
    });
    this.#stops = [
      clock.every(transport.tick, () => this.#tick(), phase % transport.tick),
      directory.besideUpstream(() => network.reachesRedis(id), phase),
    ];
  }

  isWarm(plugin: Plugin): boolean {
    return this.#warm.has(plugin);
  }

  /** What ran or started here. */
  get plugins(): readonly Plugin[] {
    return [...this.#pools.keys()];
  }

  /** Fingerprints that it keeps of the others. */
  get known(): number {
    return this.membership.members.reduce((sum, { warm }) => sum + warm.size, 0);
  }

  openAt(id: string): number {
    return this.#openAt.get(id) ?? 0;
  }

  handedOver(id: string, change: 1 | -1): void {
    this.#openAt.set(id, this.openAt(id) + change);
  }

  isSuspect(id: string): boolean {
    return (this.#suspect.get(id) ?? 0) > this.#parts.clock.now;
  }

  suspect(id: string): void {
    this.#suspect.set(id, this.#parts.clock.now + transport.suspect);
  }

  /** @returns false: more wait than may */
  take(call: Call): boolean {
    const pool = this.#pools.get(call.plugin) ?? this.#add(call.plugin);
    if (!pool.take(call)) return false;
    this.open.add(call);
    call.at = this.id;
    return true;
  }

  /** Another node wants a plugin to be ready here. */
  prepare(plugin: Plugin): void {
    if (this.state === 'serving') (this.#pools.get(plugin) ?? this.#add(plugin)).ensure();
  }

  drain(): void {
    this.state = 'stopping';
    this.membership.changedNow();
  }

  /** Nothing runs here any more. @param signsOff the others are told */
  end(signsOff: boolean): void {
    this.state = 'gone';
    if (signsOff) this.membership.leave();
    else this.membership.vanish();
    for (const stop of this.#stops) stop();
    for (const [plugin, pool] of this.#pools) {
      pool.close();
      plugin.homes.delete(this.id);
    }
    this.processes = 0;
  }

  #add(plugin: Plugin): SimulatedPool {
    const { clock, options, happened, onDone } = this.#parts;
    const pool = new SimulatedPool({
      clock,
      policy: options.pool,
      startMs: options.startMs,
      onStart: () => {
        this.processes++;
        happened.started(plugin, this.id);
        plugin.homes.add(this.id);
        plugin.last = this.id;
      },
      onGone: () => {
        this.processes--;
      },
      onReady: (ready) => {
        const print = fingerprint(plugin.identifier);
        if (ready) this.#warm.add(plugin);
        else this.#warm.delete(plugin);
        if (ready) this.#prints.add(print);
        else this.#prints.delete(print);
        this.membership.changed(partOf(print));
      },
      onDone: (call) => {
        this.open.delete(call);
        onDone(call);
      },
    });
    this.#pools.set(plugin, pool);
    return pool;
  }

  #tick(): void {
    for (const [plugin, pool] of this.#pools) {
      pool.tick();
      if (!pool.asleep) continue;
      this.#pools.delete(plugin);
      plugin.homes.delete(this.id);
    }
  }

  #entry(): NodeEntry {
    return {
      name: this.id,
      version: '',
      role: 'all',
      state: this.state === 'serving' ? 'serving' : 'draining',
      addresses: [],
      tls: false,
      cores: this.#parts.options.cores,
      debugging: [],
    };
  }
}
