/** Starts a daemon as an operator does, on a data directory of its own, and stops it with everything it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reservePort } from '@plugin-daemon/services';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
/** How an operator may start it: `file` is what `npm start` runs, `bundle` what that has made. */
const COMMANDS = {
  file: [process.execPath, join(REPOSITORY, 'packages/daemon/start.mjs')],
  bundle: [process.execPath, join(REPOSITORY, 'packages/daemon/dist/main.js')],
  npm: ['npm', '--silent', '--prefix', REPOSITORY, 'start'],
} as const;
export type StartWay = keyof typeof COMMANDS;
const START_LIMIT_MS = 120_000;
/** Above the time that a daemon leaves to its open calls: it is the daemon that ends them, not who waits for it. */
const STOP_LIMIT_MS = 120_000;
const LOG_LINES_SHOWN = 25;

export interface DaemonOptions {
  /** Settings on top of the defaults for a measurement; names of the daemon's environment variables. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Kept after `close()`; a fresh directory that is removed again if absent. */
  readonly dataDirectory?: string;
  readonly serverKey?: string;
  /** A command in front of the daemon's that ends by becoming it, such as one that gives up rights. */
  readonly through?: readonly string[];
  /** User and group that own what is created for it. */
  readonly owner?: number;
  /** Lets other users pass through the directory that is made around the data directory. */
  readonly passable?: boolean;
  readonly innerApi: { readonly url: string; readonly key: string };
  /** A place that was reserved, for what has to know the address before the daemon runs. */
  readonly at?: ReservedPlace;
}

/** Ports that are kept for it until this process ends, and the address that follows from them. */
export interface ReservedPlace {
  readonly port: number;
  readonly debuggingPort: number;
  readonly url: string;
}

/**
 * One daemon on a data directory, that can be stopped and started again: ports, keys and data stay.
 * `close()` stops it and removes what was created for it.
 */
export class DaemonProcess implements AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly debuggingPort: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #temporary: string | undefined;
  readonly #through: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, debuggingPort: number, options: DaemonOptions) {
    this.url = options.at?.url ?? `http://127.0.0.1:${port}`;
    this.key = options.serverKey ?? 'bench-server-key';
    this.debuggingPort = debuggingPort;
    this.#temporary = options.dataDirectory ? undefined : mkdtempSync(join(tmpdir(), 'plugin-daemon-'));
    this.dataDirectory = options.dataDirectory ?? join(this.#temporary ?? '', 'data');
    mkdirSync(this.dataDirectory, { recursive: true });
    this.#through = options.through ?? [];
    if (options.passable && this.#temporary !== undefined) chmodSync(this.#temporary, 0o711);
    if (options.owner !== undefined && this.#temporary !== undefined)
      for (const path of [this.#temporary, this.dataDirectory]) chownSync(path, options.owner, options.owner);
    this.logFile = join(this.#temporary ?? this.dataDirectory, 'daemon.log');
    this.#settings = {
      SERVER_HOST: new URL(this.url).hostname,
      SERVER_PORT: String(port),
      SERVER_KEY: this.key,
      DATA_DIR: this.dataDirectory,
      DIFY_INNER_API_URL: options.innerApi.url,
      DIFY_INNER_API_KEY: options.innerApi.key,
      PLUGIN_REMOTE_INSTALLING_HOST: '127.0.0.1',
      PLUGIN_REMOTE_INSTALLING_PORT: String(debuggingPort),
      FORCE_VERIFYING_SIGNATURE: 'false',
      ...options.settings,
    };
  }

  static async start(options: DaemonOptions): Promise<DaemonProcess> {
    const { port, debuggingPort } = options.at ?? (await DaemonProcess.reserve());
    const daemon = new DaemonProcess(port, debuggingPort, options);
    try {
      await daemon.start();
      return daemon;
    } catch (error) {
      await daemon.close();
      throw error;
    }
  }

  /** Finds a place for a daemon that is started later. */
  static async reserve(): Promise<ReservedPlace> {
    const [port, debuggingPort] = [await reservePort(), await reservePort()];
    return { port, debuggingPort, url: `http://127.0.0.1:${port}` };
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the daemon is not running');
    return pid;
  }

  /** Milliseconds from the start of the process to its first healthy answer. */
  async start(way: StartWay = 'file'): Promise<number> {
    const log = createWriteStream(this.logFile, { flags: 'a' });
    const started = performance.now();
    const [command, ...args] = [...this.#through, ...COMMANDS[way]];
    const child = spawn(command ?? process.execPath, args, {
      cwd: this.#temporary ?? this.dataDirectory,
      env: { ...inherited(), ...this.#settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());
    while (performance.now() - started < START_LIMIT_MS) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      if (await healthy(this.url)) return performance.now() - started;
      await delay(5);
    }
    const how = child.signalCode ?? (child.exitCode === null ? 'in time' : `exit code ${child.exitCode}`);
    throw new Error(`the daemon did not start (${how}). The end of its log (${this.logFile}):\n${this.logTail()}`);
  }

  /** Stops the process; resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(late);
  }

  logTail(lines = LOG_LINES_SHOWN): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no log)';
    }
  }

  async close(): Promise<void> {
    await this.stop();
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The caller's environment without settings of a daemon it may run beside this one. */
function inherited(): NodeJS.ProcessEnv {
  const kept =
    /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|UV_.*|PIP_.*|SSL_CERT_.*|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|.*_proxy|.*_PROXY)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)));
}

async function healthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/check`, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
