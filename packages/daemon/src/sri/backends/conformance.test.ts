/** Every back end that this machine has. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openIsolation } from '@plugin-daemon/plugin-host/isolation';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { askKubernetes, provided, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { silentLog } from '../../telemetry/index.ts';
import { SessionSecrets } from '../session-secrets.ts';
import { ask, backendSuite, built } from './conformance.suite.ts';
import { ContainerBackend, KubernetesBackend, type KubernetesBackendOptions, ProcessBackend } from './index.ts';
import { FakeCluster, TOKEN } from './kubernetes/testing/fake-cluster.ts';
import { Kubelet } from './kubernetes/testing/kubelet.ts';
import { MISSING_IMAGE } from './kubernetes/testing/pod-process.ts';

const limits = {
  memoryFactor: 1,
  memoryFloor: 256 * 1024 * 1024,
  processes: 200,
  openFiles: 1024,
  fileBytes: 1 << 30,
  cpuPercent: 0,
};
const daemon = createServer((_request, response) => response.end('from the daemon'));
const daemonUrl = `http://127.0.0.1:${await listening()}`;
const environment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };
const common = {
  environment,
  daemonUrl,
  timeoutSeconds: 77,
  graceMs: 1000,
  log: silentLog,
  secrets: new SessionSecrets(),
} as const;

process.env.SRI_TEST_KEY = 'secret-of-the-server';

async function listening(): Promise<number> {
  await new Promise<void>((resolve) => daemon.listen(0, '127.0.0.1', resolve));
  const address = daemon.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return address.port;
}

afterAll(() => {
  rmSync(workplace, { recursive: true, force: true });
  daemon.close();
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const workplace = mkdtempSync(join(tmpdir(), 'backend-more-'));
const builtFunction = (name: string) => built(workplace, name, '/usr/bin/python3', {});

const commandLines = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    });

describe('processes', () => {
  backendSuite({
    python: '/usr/bin/python3',
    daemonUrl,
    async open({ egress, readySeconds }) {
      const data = mkdtempSync(join(tmpdir(), 'backend-data-'));
      chmodSync(data, 0o711);
      const launcher = createProcessLauncher();
      const isolation = openIsolation({
        setting: 'auto',
        users: { first: 50_000, last: 50_100 },
        readable: [],
        writable: [],
        dataDirectory: data,
        workingPath: join(data, 'cwd'),
        toolsPath: join(data, 'tools'),
        hidden: [],
        launcher,
        log: silentLog,
        limits,
        onInForce: () => undefined,
      });
      const backend = new ProcessBackend({ ...common, egress, readySeconds, launcher, cages: isolation.plugins });
      return {
        backend,
        running: async () =>
          commandLines().filter(
            (line) => line.includes('backend-suite-') && line.endsWith('\0main\0') && !line.includes('relay.py'),
          ).length,
        async close() {
          await backend.close();
          await launcher.close();
          await isolation.close();
          rmSync(data, { recursive: true, force: true });
        },
      };
    },
  });
});

const socketPath = provided('podman');

function engineGet(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/v1.40${path}` }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve(JSON.parse(text)));
    })
      .once('error', reject)
      .end();
  });
}

describe('containers', () => {
  if (socketPath === undefined) {
    test.skip(`with podman: ${skipReason('podman')}`, () => undefined);
    return;
  }
  backendSuite({
    python: '/usr/bin/python3',
    daemonUrl,
    async open({ egress, readySeconds }) {
      const owner = `suite-${Math.random().toString(36).slice(2)}`;
      const backend = new ContainerBackend({
        ...common,
        egress,
        readySeconds,
        socketPath,
        image: process.env.TEST_PODMAN_IMAGE ?? '',
        network: 'none',
        owner,
        user: { uid: 65_534, gid: 65_534 },
        openForUser: async (path) => void spawnSync('chmod', ['-R', 'go+rX', path]),
        limits,
        readable: ['/usr', '/etc/ld.so.cache'],
      });
      const filters = encodeURIComponent(JSON.stringify({ label: [`dify.sri.owner=${owner}`] }));
      return {
        backend,
        running: async () => ((await engineGet(`/containers/json?all=true&filters=${filters}`)) as unknown[]).length,
        close: () => backend.close(),
      };
    },
  });
});

/** What both clusters are given. */
const onCluster = {
  ...common,
  egress: 'all',
  readySeconds: 30,
  image: 'system',
  claim: 'sri',
  dataDirectory: tmpdir(),
  toolsPath: join(tmpdir(), 'tools'),
  owner: 'suite',
  user: { uid: 65_534, gid: 65_534 },
  openForUser: async () => undefined,
  limits,
  wayOutUrl: undefined,
} as const satisfies Omit<KubernetesBackendOptions, 'api'>;

/** What both clusters do beyond what every back end does. @param owners of the pods that run, one for each */
function clusterSuite(
  openBackend: (changes: Partial<KubernetesBackendOptions>) => KubernetesBackend,
  owners: () => Promise<readonly string[]>,
): void {
  test('a pod that the cluster cannot start fails the start with its reason', async () => {
    const backend = openBackend({ image: MISSING_IMAGE });
    await expect(
      backend.start({ function: builtFunction('imageless'), signal: new AbortController().signal }),
    ).rejects.toThrow('ImagePullBackOff: Back-off pulling image "missing"');
    await backend.close();
  });

  test('what a former life left is removed, and nothing of others', async () => {
    const [mine, other] = [openBackend({ owner: 'mine' }), openBackend({ owner: 'other' })];
    const signal = new AbortController().signal;
    const left = await mine.start({ function: builtFunction('left'), signal });
    const theirs = await other.start({ function: builtFunction('theirs'), signal });
    await openBackend({ owner: 'mine' }).sweep();
    await left.ended;
    expect(await owners()).toEqual(['other']);
    await theirs.stop('over');
    await Promise.all([mine.close(), other.close()]);
  });
}

describe('a cluster', () => {
  const cluster = new FakeCluster();
  let url = '';
  let tokenFile = '';

  beforeAll(async () => {
    url = await cluster.start();
    const directory = mkdtempSync(join(tmpdir(), 'backend-token-'));
    tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`);
  });

  afterAll(async () => {
    await cluster.close();
    rmSync(dirname(tokenFile), { recursive: true });
  });

  const openBackend = (changes: Partial<KubernetesBackendOptions> = {}) =>
    new KubernetesBackend({
      ...onCluster,
      api: { url, tokenFile, caFile: undefined, namespace: 'functions' },
      ...changes,
    });

  const owners = async () => [...cluster.pods.values()].map(({ labels }) => labels['dify.sri/owner'] ?? '');

  backendSuite({
    python: '/usr/bin/python3',
    daemonUrl,
    notEnforced: 'the API server of the tests runs pods as plain processes',
    async open({ egress, readySeconds }) {
      const owner = `suite-${Math.random().toString(36).slice(2)}`;
      const backend = openBackend({ egress, readySeconds, owner });
      return {
        backend,
        running: async () => (await owners()).filter((one) => one === owner).length,
        close: () => backend.close(),
      };
    },
  });

  test('watches that end, also too late to go on, lose nothing', async () => {
    const backend = openBackend({ owner: 'watched' });
    const target = builtFunction('watched');
    const start = () => backend.start({ function: target, signal: new AbortController().signal });
    const first = await start();
    cluster.cutWatches();
    const second = await start();
    cluster.forget();
    const third = await start();
    for (const pod of cluster.pods.values())
      if (pod.labels['dify.sri/owner'] === 'watched') pod.process?.kill('SIGKILL');
    for (const instance of [first, second, third]) expect((await instance.ended).text).toMatch(/ended|gone/);
    await backend.close();
  });

  test('pods that may not connect anywhere reach their daemon through this server', async () => {
    const port = await unusedPort();
    const wayOutUrl = `http://127.0.0.1:${port}`;
    const backend = openBackend({ owner: 'closed', egress: [], wayOutUrl });
    const instance = await backend.start({ function: builtFunction('closed'), signal: new AbortController().signal });
    const code = `
import os, urllib.request
url = os.environ["DIFY_PLUGIN_DAEMON_URL"] + "/backwards-invocation/transaction"
result = [os.environ["HTTPS_PROXY"], urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST")).read().decode()]`;
    expect(await ask(instance, { do: 'python', code })).toEqual({ result: [wayOutUrl, 'from the daemon'] });
    await instance.stop('over');
    await backend.close();
  });

  clusterSuite(openBackend, owners);

  test('the network of functions is described before the first one runs', () =>
    expect([...cluster.applied.keys()].some((path) => path.includes('/networkpolicies/'))).toBe(true));

  test('nothing was asked that an API server refuses', () => expect(cluster.violations).toEqual([]));
});

const PATIENCE = { timeout: 60_000, interval: 200 };

describe('a control plane', () => {
  const url = provided('kubernetes');
  if (url === undefined) {
    test.skip(`with kubernetes: ${skipReason('kubernetes')}`, () => undefined);
    return;
  }
  const caFile = process.env.TEST_KUBERNETES_CA ?? '';
  const adminFile = process.env.TEST_KUBERNETES_ADMIN_TOKEN_FILE ?? '';
  const given = { url, caFile, namespace: 'functions' };
  const ask = askKubernetes(url, caFile, readFileSync(adminFile, 'utf8'));
  const kubelet = new Kubelet({ ...given, tokenFile: adminFile }, ask);
  const listed = async (kind: string, owner: string): Promise<readonly unknown[]> => {
    const label = encodeURIComponent(`dify.sri/owner=${owner}`);
    return (await ask('GET', `${kind}?labelSelector=${label}`)).items ?? [];
  };
  /** A cluster keeps what has ended for a moment more. */
  const running = async (owner: string): Promise<number> => {
    const pods = await listed('/api/v1/namespaces/functions/pods', owner);
    return pods.filter((pod) => /"phase":"(Pending|Running)"/.test(JSON.stringify(pod))).length;
  };
  const openBackend = (changes: Partial<KubernetesBackendOptions> = {}) =>
    new KubernetesBackend({
      ...onCluster,
      api: { ...given, tokenFile: process.env.TEST_KUBERNETES_TOKEN_FILE },
      ...changes,
    });

  beforeAll(() => kubelet.start());
  afterAll(() => kubelet.close());

  backendSuite({
    python: '/usr/bin/python3',
    daemonUrl,
    notEnforced: 'the kubelet of the tests runs pods as plain processes',
    async open({ egress, readySeconds }) {
      const owner = `suite-${Math.random().toString(36).slice(2)}`;
      const backend = openBackend({ egress, readySeconds, owner });
      return { backend, running: () => running(owner), close: () => backend.close() };
    },
  });

  // Of these two alone: a cluster takes its time to end the pods of other tests.
  clusterSuite(openBackend, async () =>
    (await Promise.all(['mine', 'other'].map(async (owner) => Array<string>(await running(owner)).fill(owner)))).flat(),
  );

  test('in the end nothing is left in the cluster', async () => {
    for (const kind of ['/apis/batch/v1/namespaces/functions/jobs', '/api/v1/namespaces/functions/pods'])
      await vi.waitFor(async () => expect((await ask('GET', kind)).items).toEqual([]), PATIENCE);
  });

  test('an account without the rights is told which, and what to do', async () => {
    const { status } = await ask('POST', '/api/v1/namespaces/functions/serviceaccounts/default/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const directory = mkdtempSync(join(tmpdir(), 'backend-token-'));
    writeFileSync(join(directory, 'token'), String(status?.token));
    const backend = openBackend({ api: { ...given, tokenFile: join(directory, 'token') } });
    await expect(backend.check(new AbortController().signal)).rejects.toMatchObject({
      message: expect.stringMatching(/403.*networkpolicies/s),
      remedy: expect.stringContaining('docs/sri.md'),
    });
    await backend.close();
    rmSync(directory, { recursive: true });
  });

  test('the machines of the tests were refused nothing', () => expect(kubelet.troubles).toEqual([]));
});
