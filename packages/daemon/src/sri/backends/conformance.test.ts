/** Every back end that this machine has. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIsolation } from '@plugin-daemon/plugin-host/isolation';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { provided, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { silentLog } from '../../telemetry/index.ts';
import { backendSuite } from './conformance.suite.ts';
import { ContainerBackend, ProcessBackend } from './index.ts';

const limits = {
  memoryFactor: 1,
  memoryFloor: 256 * 1024 * 1024,
  processes: 200,
  openFiles: 1024,
  fileBytes: 1 << 30,
  cpuPercent: 0,
};
const PORT = 40_000 + (process.pid % 20_000);
const daemonUrl = `http://127.0.0.1:${PORT}`;
const daemon = createServer((_request, response) => response.end('from the daemon'));
const environment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };
const common = { environment, daemonUrl, timeoutSeconds: 77, graceMs: 1000, log: silentLog } as const;

beforeAll(async () => {
  process.env.SRI_TEST_KEY = 'secret-of-the-server';
  await new Promise<void>((resolve) => daemon.listen(PORT, '127.0.0.1', resolve));
});

afterAll(() => {
  daemon.close();
});

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
            (line) => line.includes('backend-suite-') && line.endsWith('-m\0main\0') && !line.includes('relay.py'),
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
