import { type Machine, TestNetwork } from '@plugin-daemon/services';
import { DaemonClient, DaemonProcess, delay, keepUv, keptUv } from '../daemon/index.ts';
import { Balancer, Callers, Deployment, type Settings, type StoreKind } from '../fleet/index.ts';
import { benchPackage } from '../plugin/package.ts';
import type { Outage, Row, Scene } from './outage.ts';
import { STEADY } from './steady.ts';

export interface RunOptions {
  readonly store: StoreKind;
  readonly placement: string;
  readonly callers: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}

/** Before an outage, and after it, so that both are seen. */
const CALM_MS = 3000;
const NODE_PORT = 5002;

/** Has one outage happen to a deployment of its own, under load. @throws when it does not recover */
export async function run(outage: Outage, options: RunOptions): Promise<Row> {
  using ending = new DisposableStack();
  await using closing = new AsyncDisposableStack();
  const { store, placement, seconds, say } = options;
  const deployment = closing.use(
    await Deployment.start({
      ...outage.deployment,
      store,
      settings: {
        PLACEMENT_RULE: placement,
        SHUTDOWN_BALANCER_SECONDS: '2',
        PLUGIN_REMOTE_INSTALLING_ENABLED: 'false',
        DETAILS_ACCESS: 'open',
        ...outage.deployment?.settings,
      },
    }),
  );
  const network = outage.network === true ? ending.use(new TestNetwork()) : undefined;
  const machines: Machine[] = [];
  const packed = benchPackage({ category: 'tool', name: STEADY });
  if (keptUv()['UV_PATH'] === undefined) await fetchUv(packed);
  const first = await add(deployment, network, machines);
  const clients = new Map<string, DaemonClient>();
  const client = (node: number, tenant = ''): DaemonClient => {
    const { url, key } = deployment.node(node);
    const name = `${url} ${tenant}`;
    const made = clients.get(name) ?? closing.use(new DaemonClient({ url, key, ...(tenant !== '' && { tenant }) }));
    clients.set(name, made);
    return made;
  };
  // Before the others come: so it is the first one that runs it.
  const { unique_identifier } = await client(0).upload(packed);
  await client(0).install(unique_identifier);
  await deployment.ready([first]);
  for (let n = 1; n < (outage.nodes ?? 3); n++) await add(deployment, network, machines);
  await deployment.complete();

  const balancer = new Balancer(() => deployment.nodes);
  closing.defer(() => balancer.close());
  balancer.begin();
  const callers = new Callers(balancer, STEADY);
  callers.begin(options.callers);
  const machine = (node: number): Machine => {
    const found = machines[node];
    if (network === undefined || found === undefined)
      throw new Error('the nodes do not stand on machines of their own');
    return found;
  };
  const scene: Scene = {
    deployment,
    client,
    seconds,
    say,
    cut: (node, from) => {
      if (from === 'redis') machine(node).cut(network?.address ?? '', deployment.redis.port);
      else machine(node).cut(machine(from).address);
    },
    mend: (node) => machine(node).mend(),
  };
  try {
    await delay(CALM_MS);
    const beganAt = performance.now();
    const seen = await outage.run(scene);
    const endedAt = performance.now();
    await deployment.complete();
    const recoveredMs = performance.now() - endedAt;
    await delay(CALM_MS);
    const called = await callers.end();
    const { name, title, mayFail } = outage;
    return { name, title, mayFail, lastedMs: endedAt - beganAt, recoveredMs, called, seen };
  } finally {
    await callers.end();
  }
}

/** Where there is a network of its own nobody could, and elsewhere a call would wait for it. */
async function fetchUv(packed: Buffer): Promise<void> {
  await using daemon = await DaemonProcess.start({ innerApi: { url: 'http://127.0.0.1:9', key: 'bench-inner-key' } });
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  await client.install((await client.upload(packed)).unique_identifier);
  keepUv(daemon.dataDirectory);
}

/** One more node; on a machine of its own where there is a network. */
async function add(
  deployment: Deployment,
  network: TestNetwork | undefined,
  machines: Machine[],
): Promise<DaemonProcess> {
  if (network === undefined) return await deployment.add();
  const machine = network.add();
  machines.push(machine);
  if (machines.length === 1) for (const port of serversOf(deployment.settings)) await network.share(port);
  const { debuggingPort } = await DaemonProcess.reserve();
  const at = { port: NODE_PORT, debuggingPort, url: `http://${machine.address}:${NODE_PORT}` };
  return await deployment.add(elsewhere(deployment.settings, network.address), { through: machine.through, at });
}

const servers = ['DB_PORT', 'REDIS_PORT'] as const;

function serversOf(settings: Settings): readonly number[] {
  const store = settings['S3_ENDPOINT'];
  const ports = servers.map((name) => Number(settings[name]));
  return store === undefined ? ports : [...ports, Number(new URL(store).port)];
}

/** The same servers, as they are reached from another machine. */
function elsewhere(settings: Settings, address: string): Settings {
  const store = settings['S3_ENDPOINT'];
  return {
    DB_HOST: address,
    REDIS_HOST: address,
    ...(store !== undefined && { S3_ENDPOINT: `http://${address}:${new URL(store).port}` }),
  };
}
