/**
 * One tool call over HTTP, here and through the gateways that put MCP servers on stdio on the net. They are installed for this
 * measurement alone, into a folder that is removed again.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { reservePort } from '@plugin-daemon/services';
import { delay } from '../daemon/index.ts';
import { faultlessLoop, quantile, requestBytes } from '../load/index.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

const SERVER = fileURLToPath(new URL('../plugin/mcp_server.py', import.meta.url));
const PYTHON = 'python3';
const MAX_REQUESTS = 500_000;
const READY_ATTEMPTS = 200;
const PATH = '/mcp';
/** What these gateways agree on. */
const PROTOCOL = '2025-06-18';

interface Gateway {
  readonly name: 'supergateway' | 'mcp-proxy';
  readonly version: string;
  args(port: number): readonly string[];
}

const gateways: readonly Gateway[] = [
  {
    name: 'supergateway',
    version: '4.0.0',
    args: (port) => [
      ...['--stdio', `${PYTHON} ${SERVER}`, '--outputTransport', 'streamableHttp', '--stateful'],
      ...['--port', String(port), '--streamableHttpPath', PATH, '--logLevel', 'none'],
    ],
  },
  {
    name: 'mcp-proxy',
    version: '6.7.19',
    args: (port) => ['--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--', PYTHON, SERVER],
  },
];

export const mcpGateways: Measurement = {
  name: 'gateways',
  title: 'One tool call over HTTP, beside gateways for MCP servers on stdio',
  async run(bench) {
    const folder = await mkdtemp(join(tmpdir(), 'plugin-daemon-gateways-'));
    try {
      await install(folder);
      const figures = await ours(bench);
      for (const gateway of gateways) figures.push(...(await through(gateway, folder, bench)));
      return figures;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function install(folder: string): Promise<void> {
  const packages = gateways.map(({ name, version }) => `${name}@${version}`);
  // Their scripts are of no use here, and nobody's to run.
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error'];
  await promisify(execFile)('npm', ['install', '--prefix', folder, ...options, ...packages]);
}

async function ours(bench: Bench): Promise<Figure[]> {
  await bench.ensure('tool');
  const request = bench.toolRequest('echo', { text: 'hello' });
  return await loops(bench, 'daemon', { url: bench.target.url, requestOf: () => request });
}

/** Every connection has an id of its own, as the calls of one session share its answers. */
interface Callee {
  readonly url: string;
  readonly requestOf: (connection: number) => Buffer;
}

async function loops(bench: Bench, name: string, { url, requestOf }: Callee): Promise<Figure[]> {
  const loop = (connections: number, maxMs: number) =>
    faultlessLoop({ url, request: requestOf, connections, maxMs, maxRequests: MAX_REQUESTS, expect: 'hello' });
  await loop(8, 1000);
  const figures: Figure[] = [];
  for (const connections of [1, 64]) {
    const runs = await bench.repeat(() => loop(connections, bench.seconds * 1000));
    const id = `gateways.${name}.c${connections}`;
    figures.push(
      bench.figure(
        `${id}.perSecond`,
        runs.map((run) => run.perSecond),
      ),
      bench.figure(
        `${id}.p99`,
        runs.map((run) => quantile(run.latencies, 0.99)),
      ),
    );
  }
  return figures;
}

async function through(gateway: Gateway, folder: string, bench: Bench): Promise<Figure[]> {
  const port = await reservePort();
  const url = `http://127.0.0.1:${port}`;
  const program = join(folder, 'node_modules/.bin', gateway.name);
  const child = spawn(process.execPath, [program, ...gateway.args(port)], { stdio: 'ignore' });
  try {
    const session = await begin(url, child);
    const requestOf = (connection: number) =>
      requestBytes(url, {
        path: PATH,
        headers: headersOf(session),
        body: call(connection + 1, 'tools/call', { name: 'echo', arguments: { text: 'hello' } }),
      });
    return await loops(bench, gateway.name, { url, requestOf });
  } finally {
    await end(child);
  }
}

const call = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

const headersOf = (session?: string): Record<string, string> => ({
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
  ...(session !== undefined && { 'Mcp-Session-Id': session, 'MCP-Protocol-Version': PROTOCOL }),
});

/** Waits until it listens, and begins a session. */
async function begin(url: string, child: ChildProcess): Promise<string> {
  const clientInfo = { name: 'bench', version: '1' };
  const body = call(0, 'initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo });
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url + PATH, { method: 'POST', headers: headersOf(), body });
      await response.text();
      const session = response.headers.get('mcp-session-id');
      if (!response.ok || session === null) throw new Error(`it begins no session: ${response.status}`);
      const begun = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
      const told = await fetch(url + PATH, { method: 'POST', headers: headersOf(session), body: begun });
      await told.text();
      return session;
    } catch (error) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (ended || attempt >= READY_ATTEMPTS) throw new Error('the gateway did not start', { cause: error });
      await delay(50);
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}
