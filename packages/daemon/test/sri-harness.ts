/** A whole server of the serverless runtime interface for tests: a real process on a directory and a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodePackage } from '@plugin-daemon/plugin-package';
import { eventually, type Settings } from './harness.ts';
import { type Files, packageOf, rudeFiles, type Variant } from './plugins/package.ts';

/** Of the environment of the tests, what the way to the package index needs. */
const towardsIndex = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && /^(SSL_CERT_|REQUESTS_CA|UV_|PIP_|HTTPS?_PROXY$|NO_PROXY$)/i.test(name)
      ? [[name, value]]
      : [],
  ),
);
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
export const KEY = 'the-key-of-the-sri-in-tests';

export interface LaunchEvent {
  readonly Stage: string;
  readonly State: string;
  readonly Message: string;
}

/** What became of a launch. */
export interface Launched {
  readonly status: number;
  readonly text: string;
  readonly events: readonly LaunchEvent[];
  /** Of the function; '' when it was not launched. */
  readonly endpoint: string;
  readonly failure: LaunchEvent | undefined;
}

/** A package whose function does what its calls ask for; see function.py. */
export const functionPackage = (name: string, variant: Variant = {}, changes: Files = {}): Buffer =>
  packageOf(
    rudeFiles(name, variant, {
      'main.py': readFileSync(new URL('./plugins/function.py', import.meta.url)),
      ...changes,
    }),
  );

export const identifierOf = (packed: Buffer): string =>
  decodePackage(new Uint8Array(packed), {
    maxUnpackedBytes: 100_000_000,
    publicKeys: [],
    reserveOfficialCategory: true,
  }).identifier.text;

export const fileNameOf = (identifier: string): string => `${identifier.replace('/', '@').replace(':', '@')}.difypkg`;

export class TestSri implements AsyncDisposable {
  readonly directory: string;
  readonly #settings: Settings;
  readonly #own: boolean;
  #child: ChildProcess | undefined;
  #log = '';
  url = '';
  readonly agent = new Agent({ keepAlive: true });

  static async start(settings: Settings = {}, directory?: string): Promise<TestSri> {
    const sri = new TestSri(settings, directory);
    await sri.start();
    return sri;
  }

  private constructor(settings: Settings, directory: string | undefined) {
    this.#settings = settings;
    this.#own = directory === undefined;
    this.directory = directory ?? mkdtempSync(join(tmpdir(), 'sri-test-'));
  }

  /** Again on the same directory, with the same port. */
  async start(): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const child = spawn(process.execPath, [MAIN, 'sri'], {
      cwd: this.directory,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        ...towardsIndex,
        SRI_DATA_DIR: join(this.directory, 'data'),
        SRI_HOST: '127.0.0.1',
        SRI_PORT: port,
        SRI_API_KEY: KEY,
        LOG_OUTPUT_FORMAT: 'json',
        FORCE_VERIFYING_SIGNATURE: 'false',
        ...this.#settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const from = this.#log.length;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    this.url = await eventually(`the SRI listens; its log: ${this.#log}`, () => {
      if (child.exitCode !== null) throw new Error(`the SRI ended: ${this.#log.slice(from)}`);
      return /"url":"(http:[^"]+)"/.exec(this.#log.slice(from))?.[1];
    });
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get exited(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy();
    await this.stop();
    if (this.#own) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  request(
    method: string,
    path: string,
    options: {
      headers?: Record<string, string>;
      body?: string | Buffer;
      key?: string | null;
      signal?: AbortSignal;
    } = {},
  ): Promise<IncomingMessage> {
    const { headers, body, key = KEY, signal } = options;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        path.startsWith('http') ? path : this.url + path,
        {
          method,
          agent: this.agent,
          ...(signal && { signal }),
          headers: { ...(key !== null && { Authorization: key }), ...headers },
        },
        resolve,
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  async answer(method: string, path: string, options?: Parameters<TestSri['request']>[2]) {
    const response = await this.request(method, path, options);
    return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
  }

  /** Begins a launch, as the existing daemon does. */
  beginLaunch(packed: Buffer, options: { identifier?: string; signal?: AbortSignal } = {}): Promise<IncomingMessage> {
    const identifier = options.identifier ?? identifierOf(packed);
    const boundary = '----a-boundary-of-tests';
    const part = (head: string, content: string | Buffer) =>
      Buffer.concat([Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
    const body = Buffer.concat([
      part(
        `Content-Disposition: form-data; name="context"; filename="${fileNameOf(identifier)}"\r\nContent-Type: application/octet-stream`,
        packed,
      ),
      part('Content-Disposition: form-data; name="verified"', 'false'),
      part('Content-Disposition: form-data; name="metadata"', JSON.stringify({ plugin_unique_identifier: identifier })),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
    return this.request('POST', '/v1/launch', {
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body,
      ...(options.signal && { signal: options.signal }),
    });
  }

  async launch(packed: Buffer, options: { identifier?: string } = {}): Promise<Launched> {
    const response = await this.beginLaunch(packed, options);
    const text = await textOf(response);
    const events = eventsOf(text);
    const located = events.find(({ Stage, State }) => Stage === 'run' && State === 'success')?.Message ?? '';
    return {
      status: response.statusCode ?? 0,
      text,
      events,
      endpoint: /endpoint=([^,]+)/.exec(located)?.[1] ?? '',
      failure: events.find(({ State }) => State === 'failed'),
    };
  }

  /** The items that a daemon finds for a package. */
  async lookUp(identifier: string) {
    const { text } = await this.answer(
      'GET',
      `/v1/runner/instances?filename=${encodeURIComponent(fileNameOf(identifier))}`,
    );
    const { Items } = JSON.parse(text) as { Items: readonly { Name: string; Endpoint: string }[] };
    return Items;
  }

  /** One call of a function, as a daemon sends it. */
  call(
    endpoint: string,
    data: object,
    options: { signal?: AbortSignal; action?: string; headers?: Record<string, string> } = {},
  ): Promise<IncomingMessage> {
    return this.request('POST', `${endpoint}/invoke?action=${options.action ?? 'invoke_tool'}`, {
      key: null,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'text/event-stream',
        'Dify-Plugin-Session-ID': 's',
        ...options.headers,
      },
      body: JSON.stringify({ session_id: 's', event: 'request', data }),
      ...(options.signal && { signal: options.signal }),
    });
  }

  /** The data of the `stream` messages of a call. */
  async messages(endpoint: string, data: object): Promise<readonly Record<string, unknown>[]> {
    const response = await this.call(endpoint, data);
    const text = await textOf(response);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text}`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).data)
      .filter(({ type }) => type === 'stream')
      .map(({ data: message }) => message);
  }

  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const { text } = await this.answer('GET', '/metrics');
    let sum = 0;
    for (const line of text.split('\n')) {
      if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
      if (!Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`))) continue;
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }
}

export async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) text += part;
  return text;
}

export const eventsOf = (text: string): readonly LaunchEvent[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)));
