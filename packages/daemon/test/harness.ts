/**
 * A whole daemon for tests: a real process on a data directory and ports of its own, real plugins, raw HTTP. Everything that is
 * started through it is ended by `close()`, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DaemonClient, DaemonProcess, keepUv, keptUv, metricIn, reservePort } from '@plugin-daemon/bench';
import { expect } from 'vitest';
import { AUTHOR } from './plugins/package.ts';

export const ONE = '00000000-0000-4000-8000-000000000001';
export const OTHER = '00000000-0000-4000-8000-000000000002';
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Below the limit of a test, so that who waits says for what. */
const DEADLINE_MS = 120_000;
const LOOK_MS = 20;

export type Settings = Readonly<Record<string, string>>;

/** Polls until `look` gives something; fails with `what` when it never does. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const until = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`this never happened: ${what}`);
    await sleep(LOOK_MS);
  }
}

/** What an error envelope says. `inner` is the plugin's error where it is one. */
export interface Failure {
  readonly code: number;
  readonly type: string;
  readonly message: string;
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly inner?: { readonly error_type: string; readonly message: string; readonly args?: unknown };
}

interface Envelope {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** @throws if it is no error of the contract */
export function failureOf(body: string | Envelope): Failure {
  const envelope: Envelope = typeof body === 'string' ? JSON.parse(body) : body;
  expect(envelope.code).toBeLessThan(0);
  const { message, error_type: type, args } = JSON.parse(envelope.message);
  const known = { code: envelope.code, type, message, args };
  return type === 'PluginInvokeError' ? { ...known, inner: JSON.parse(message) } : known;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The answer of a streaming call while it arrives. */
export class EventStream {
  readonly response: IncomingMessage;
  /** Everything that arrived, as text. */
  received = '';
  /** Settled when the answer has ended or broken off. */
  readonly done: Promise<void>;
  complete = false;

  constructor(response: IncomingMessage, paused: boolean) {
    this.response = response;
    response.setEncoding('utf8');
    this.done = new Promise((resolve) => {
      response.once('end', () => {
        this.complete = true;
        resolve();
      });
      response.once('close', resolve);
      response.on('error', () => resolve());
    });
    if (!paused) this.read();
  }

  read(): void {
    this.response.on('data', (text: string) => {
      this.received += text;
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get events(): readonly Envelope[] {
    const whole = this.received.slice(0, this.received.lastIndexOf('\n\n') + 1);
    return whole
      .split('\n\n')
      .filter((event) => event.trim() !== '')
      .map((event) => JSON.parse(event.trim().replace(/^data: /, '')));
  }

  /** The texts of the tool messages so far. */
  get texts(): readonly string[] {
    return this.events.flatMap(({ data }) => {
      const text = (data as { message?: { text?: unknown } } | null)?.message?.text;
      return typeof text === 'string' ? [text] : [];
    });
  }

  /** The error that ended it. */
  get failure(): Failure {
    const last = this.events.at(-1);
    if (last === undefined) throw new Error(`no event came: ${this.received.slice(0, 500)}`);
    return failureOf(last);
  }

  /** The text of the n-th message, as soon as it is there. */
  text(index: number): Promise<string> {
    return eventually(`message ${index} (received: ${this.received.slice(0, 500)})`, () => this.texts[index]);
  }

  leave(): void {
    this.response.destroy();
  }
}

export interface ToolCall {
  readonly tenant?: string;
  readonly parameters?: object;
  /** The answer is not read until `read()` is called. */
  readonly paused?: boolean;
}

/** The daemon of a test file. */
export class TestDaemon implements AsyncDisposable {
  readonly process: DaemonProcess;
  readonly #clients = new Map<string, DaemonClient>();

  static async start(
    options: {
      settings?: Settings;
      innerApi?: { url: string; key: string };
      serverKey?: string;
      through?: readonly string[];
      owner?: number;
      passable?: boolean;
    } = {},
  ) {
    return new TestDaemon(
      await DaemonProcess.start({
        innerApi: options.innerApi ?? { url: 'http://127.0.0.1:9', key: 'inner-key' },
        settings: { ...keptUv(), ...options.settings },
        ...(options.serverKey !== undefined && { serverKey: options.serverKey }),
        ...(options.through !== undefined && { through: options.through }),
        ...(options.owner !== undefined && { owner: options.owner }),
        ...(options.passable !== undefined && { passable: options.passable }),
      }),
    );
  }

  private constructor(process: DaemonProcess) {
    this.process = process;
  }

  client(tenant = ONE): DaemonClient {
    const known =
      this.#clients.get(tenant) ?? new DaemonClient({ url: this.process.url, key: this.process.key, tenant });
    this.#clients.set(tenant, known);
    return known;
  }

  /** Uploads and installs; resolves to the identifier. @throws what the install task failed with */
  async install(packed: Buffer, tenant = ONE): Promise<string> {
    const { unique_identifier } = await this.client(tenant).upload(packed);
    await this.client(tenant).install(unique_identifier);
    keepUv(this.process.dataDirectory);
    return unique_identifier;
  }

  /** Starts an installation and resolves to its task's id. */
  async beginInstall(identifier: string, tenant = ONE): Promise<string> {
    const { task_id } = await this.client(tenant).call<{ task_id: string }>('POST', '/management/install/identifiers', {
      plugin_unique_identifiers: [identifier],
      source: 'package',
      metas: [{}],
    });
    return task_id;
  }

  /** One request as it is written. */
  request(
    method: string,
    path: string,
    options: {
      headers?: Record<string, string>;
      body?: string | Buffer | AsyncIterable<Buffer>;
      key?: boolean;
      signal?: AbortSignal;
    } = {},
  ): Promise<IncomingMessage> {
    const { headers, body, key = true, signal } = options;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        this.process.url + path,
        {
          method,
          agent: false,
          ...(signal && { signal }),
          headers: { ...(key && { 'X-Api-Key': this.process.key }), ...headers },
        },
        resolve,
      );
      outgoing.once('error', reject);
      if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
      else void writeAll(outgoing, body);
    });
  }

  async answer(method: string, path: string, options?: Parameters<TestDaemon['request']>[2]): Promise<Answer> {
    const response = await this.request(method, path, options);
    return { status: response.statusCode ?? 0, text: await textOf(response) };
  }

  /** Calls a tool of a plugin of the tests. */
  async open(plugin: string, tool: string, { tenant = ONE, parameters = {}, paused = false }: ToolCall = {}) {
    const response = await this.request('POST', `/plugin/${tenant}/dispatch/tool/invoke`, {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/${plugin}` },
      body: toolBody(plugin, tool, parameters),
    });
    return new EventStream(response, paused);
  }

  /** The same, with the whole answer. */
  async call(plugin: string, tool: string, options: ToolCall = {}): Promise<EventStream> {
    const stream = await this.open(plugin, tool, options);
    await stream.done;
    return stream;
  }

  async metrics(): Promise<string> {
    return (await this.answer('GET', '/metrics/')).text;
  }

  /** Sum of a metric over all rows that carry these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return metricIn(await this.metrics(), name, labels);
  }

  /** It lives, answers and has nothing left over. */
  async expectIdle(): Promise<void> {
    await eventually(
      'all sessions are closed',
      async () => (await this.metric('active_sessions_total')) === 0 || undefined,
    );
    const spilled = join(this.process.dataDirectory, 'tmp');
    expect(readdirSync(spilled)).toEqual([]);
    // Files without a name hold disk space as long as they are open.
    await eventually(
      'no waiting answer is kept',
      () => !openFiles(this.process.pid).some((file) => file.startsWith(spilled)) || undefined,
    );
  }

  /** The log without the lines of the requests. */
  get log(): string {
    return this.process
      .logTail(100_000)
      .split('\n')
      .filter((line) => !line.includes('HTTP request'))
      .join('\n');
  }

  /** Waits until the log says something. */
  logged(text: string): Promise<boolean> {
    return eventually(`the log says "${text}"`, () => this.log.includes(text) || undefined);
  }

  /** Processes that work below the data directory: plugins and installers. */
  processes(): readonly number[] {
    return processesBelow(this.process.dataDirectory);
  }

  /** Stops it; every process it started must end with it. */
  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
    this.#clients.clear();
    const { dataDirectory } = this.process;
    await this.process.close();
    await eventually('all plugins end with the daemon', () => processesBelow(dataDirectory).length === 0 || undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export { keptUv, reservePort };

export const toolBody = (plugin: string, tool: string, parameters: object = {}): string =>
  JSON.stringify({
    user_id: 'user-1',
    data: { provider: plugin, tool, tool_parameters: parameters, credentials: {}, credential_type: 'api-key' },
  });

async function writeAll(outgoing: ReturnType<typeof httpRequest>, body: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const part of body) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(part)) await room(outgoing);
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when there is room again, or when the server has closed the connection. */
const room = (outgoing: ReturnType<typeof httpRequest>): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });

export async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What a process has open. */
function openFiles(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** Processes whose working directory is below a directory, in a place that is called so. */
export function processesBelow(directory: string, called = ''): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const place = readlinkSync(`/proc/${pid}/cwd`);
        return place.startsWith(`${directory}/`) && place.includes(called);
      } catch {
        // Ended meanwhile, or not ours to look at.
        return false;
      }
    })
    .map(Number);
}

/** A directory that is removed when the test has ended. */
export function temporaryDirectory(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'daemon-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts a daemon that is expected to end by itself, or check what it needs; resolves when it has ended. */
export async function runToEnd(settings: Settings, cwd: string, args: readonly string[] = []): Promise<Ended> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PLUGIN_REMOTE_INSTALLING_ENABLED: 'false', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  const late = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  await once(child, 'close');
  clearTimeout(late);
  return { code: child.exitCode, output };
}
