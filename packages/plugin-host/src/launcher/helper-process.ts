import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADER_BYTES } from './helper-script.ts';
import type { Fork, LaunchSpec, ProcessExit } from './process-launcher.ts';
import { SilentHelper } from './silent-helper.ts';

export type Pipes = readonly [stdin: Socket, stdout: Socket, stderr: Socket];

export interface Started {
  readonly pid: number;
  readonly pipes: Pipes;
  readonly exited: Promise<ProcessExit>;
  readonly unread: Promise<number | undefined>;
  /** Processes between the helper and a caged process, to whom its orphans fall. */
  readonly keepers: readonly number[];
  /** What it becomes; absent if it was not asked to become anything. */
  readonly outcome?: Promise<HelperTemplate | string>;
}

/** A launch that has become a template: further processes come from it. */
export interface HelperTemplate {
  readonly launch: number;
  readonly pid: number;
  readonly gone: Promise<void>;
}

interface Waiting {
  readonly started: PromiseWithResolvers<Running>;
  readonly pipes: PromiseWithResolvers<Pipes>;
  readonly connected: (Socket | undefined)[];
  /** Of this launch alone: a process that is forked has what its parent knew. */
  readonly token: string;
}

/** The program that is a helper. */
export interface HelperProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take until it is ready; milliseconds. */
  readonly readyMs?: number;
  /** While a launch waits it is looked at so often; milliseconds. */
  readonly lookMs?: number;
}

/** For who waits until a helper is ready. */
export interface OpenOptions {
  /** Gives it up. */
  readonly signal?: AbortSignal;
  /** Told what lets it stand still and go on, as soon as it exists. */
  readonly onSpawned?: (send: (signal: 'SIGSTOP' | 'SIGCONT') => void) => void;
}

interface Running {
  /** Another one when it has become a template. */
  pid: number;
  keepers: readonly number[];
  readonly outcome: PromiseWithResolvers<HelperTemplate | string>;
  readonly exited: PromiseWithResolvers<ProcessExit>;
  readonly unread: PromiseWithResolvers<number | undefined>;
}

const TOKEN_BYTES = 16;
const READY_MS = 10_000;
/** A plugin's header follows its connection at once; whoever stays silent is not the helper. */
const HEADER_MS = 5_000;
/** Above the time that it takes to end everything (helper-script.ts). */
const CLOSE_MS = 20_000;

/** One helper process with its socket: started with open(), ends when close() is called, or by itself. */
export class HelperProcess {
  readonly pid: number;
  /** Settles when the helper has ended and every process it started has been reported as ended. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #folder: string;
  readonly #silent: SilentHelper;
  readonly #waiting = new Map<number, Waiting>();
  /** By the id of their launch. */
  readonly #running = new Map<number, Running>();
  /** Of those that have ended: what they did not read is still counted. */
  readonly #counted = new Map<number, Running['unread']>();
  /** Templates that have not gone, by the launch that became one. */
  readonly #templates = new Map<number, { readonly pid: number; readonly gone: PromiseWithResolvers<void> }>();
  #nextId = 1;
  #alive = true;
  #answers = '';

  /** What the helper says of itself when it is ready: a JSON object. */
  readonly facts: Readonly<Record<string, unknown>>;

  /** @throws when the interpreter cannot run the helper, or no socket can be made; the signal's reason */
  static async open(
    { command, args, env, readyMs = READY_MS, lookMs }: HelperProgram,
    { signal, onSpawned }: OpenOptions = {},
  ): Promise<HelperProcess> {
    signal?.throwIfAborted();
    // It starts in this turn of the event loop, which may be busy for long.
    // Its own group: a Ctrl-C in the terminal is for the daemon, which ends its plugins in order.
    const child = spawn(command, [...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      cwd: '/',
      env: { ...env },
    });
    const giveUp = () => void child.kill('SIGKILL');
    child.stdin.on('error', () => {}); // its exit, which follows, is what counts
    signal?.addEventListener('abort', giveUp, { once: true });
    onSpawned?.((what) => void child.kill(what));
    try {
      const facts = await readiness(child, readyMs);
      signal?.throwIfAborted();
      // From now on it clears this away, should the daemon be killed.
      await using opened = new AsyncDisposableStack();
      const { server, folder, address } = await listening(opened);
      signal?.throwIfAborted();
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the launcher process ended at its start (${child.signalCode ?? child.exitCode})`);
      child.stdin.write(`${JSON.stringify({ address })}\n`);
      const helper = new HelperProcess(child, server, folder, facts, lookMs);
      opened.move();
      return helper;
    } catch (error) {
      child.kill('SIGKILL');
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  private constructor(
    child: ChildProcess,
    server: Server,
    folder: string,
    facts: Record<string, unknown>,
    lookMs?: number,
  ) {
    if (child.pid === undefined) throw new Error('the helper has no pid');
    this.pid = child.pid;
    this.#child = child;
    this.#server = server;
    this.#folder = folder;
    this.facts = facts;
    this.#silent = new SilentHelper(child, lookMs);
    server.on('connection', (socket) => this.#introduce(socket));
    server.unref();
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.ended = new Promise((resolve) => child.once('exit', () => resolve(this.#onExit())));
    child.unref();
    this.#holdLoop();
  }

  /** An idle helper keeps nobody alive; one that starts or runs something does. */
  #holdLoop(): void {
    const hold = this.#waiting.size + this.#running.size + this.#templates.size > 0;
    for (const stream of [this.#child.stdin, this.#child.stdout]) {
      const socket = stream as Socket | null; // pipes of a child process are sockets
      // One without a handle would keep each request until it has one again, which is never.
      if (socket?.destroyed === true) continue;
      if (hold) socket?.ref();
      else socket?.unref();
    }
  }

  /** @throws HelperGone when the helper ended before it could start this one: another helper may */
  async launch(spec: LaunchSpec, fork?: Fork): Promise<Started> {
    const { command, args, cwd, env, cage } = spec;
    return await this.#launch({ command, args, cwd, env, cage, fork });
  }

  /** @throws when its template could not fork it; HelperGone */
  async launchFrom({ launch }: HelperTemplate, { cage }: LaunchSpec): Promise<Started> {
    return await this.#launch({ from: launch, cage: { groups: cage?.groups, memoryGroup: cage?.memoryGroup } });
  }

  async #launch(request: object): Promise<Started> {
    if (!this.#alive) throw new HelperGone();
    const id = this.#nextId++;
    const waiting: Waiting = {
      started: Promise.withResolvers(),
      pipes: Promise.withResolvers(),
      connected: [undefined, undefined, undefined],
      token: randomBytes(TOKEN_BYTES).toString('hex'),
    };
    this.#waiting.set(id, waiting);
    this.#holdLoop();
    this.#silent.expected(true);
    waiting.pipes.promise.catch(() => {}); // the same failure arrives through `started`
    this.#child.stdin?.write(`${JSON.stringify({ id, token: waiting.token, ...request })}\n`);
    try {
      const running = await waiting.started.promise;
      const { exited, unread, outcome } = running;
      return {
        get pid() {
          return running.pid;
        },
        get keepers() {
          return running.keepers;
        },
        pipes: await waiting.pipes.promise,
        exited: exited.promise,
        unread: unread.promise,
        outcome: outcome.promise,
      };
    } catch (error) {
      for (const socket of waiting.connected) socket?.destroy();
      throw error;
    } finally {
      this.#waiting.delete(id);
      this.#holdLoop();
      this.#silent.expected(this.#alive && this.#waiting.size > 0);
    }
  }

  /** Ends the helper, and with it everything it has started. */
  async close(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    // One that was stopped does not see the end of its input.
    this.#child.kill('SIGCONT');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_MS);
    await this.ended;
    clearTimeout(late);
  }

  #introduce(socket: Socket): void {
    socket.on('error', () => socket.destroy()); // a reset by a plugin that died: its exit is reported, writers learn from their callback
    const timer = setTimeout(() => socket.destroy(), HEADER_MS);
    const look = () => {
      const header: Buffer | null = socket.read(HEADER_BYTES);
      if (header === null) return;
      clearTimeout(timer);
      socket.off('readable', look);
      const text = header.toString('latin1');
      const waiting = this.#waiting.get(Number(text.slice(TOKEN_BYTES * 2 + 1)));
      const channel = Number(text[TOKEN_BYTES * 2]);
      if (waiting === undefined || text.slice(0, TOKEN_BYTES * 2) !== waiting.token || !(channel <= 2)) {
        socket.destroy();
        return;
      }
      waiting.connected[channel] = socket;
      const [stdin, stdout, stderr] = waiting.connected;
      if (stdin && stdout && stderr) waiting.pipes.resolve([stdin, stdout, stderr]);
    };
    socket.on('readable', look);
    look();
  }

  #read(text: string): void {
    this.#silent.heard();
    const lines = (this.#answers + text).split('\n');
    this.#answers = lines.pop() ?? '';
    for (const line of lines) this.#take(JSON.parse(line));
    this.#holdLoop();
  }

  #take(message: Answer): void {
    if (message.ended !== undefined) {
      const { code = null, limit } = message;
      const exit = { code, signal: signalName(message.signal), ...(limit === 'memory' ? ({ limit } as const) : {}) };
      const ended = this.#running.get(message.ended);
      ended?.exited.resolve(exit);
      ended?.outcome.resolve('it ended before');
      if (ended !== undefined) this.#counted.set(message.ended, ended.unread);
      this.#running.delete(message.ended);
      // A shepherd that was lost before it had answered.
      this.#waiting.get(message.ended)?.started.reject(new Error('the process was lost while it was started'));
    } else if (message.unread !== undefined) {
      this.#counted.get(message.unread)?.resolve(message.bytes);
      this.#counted.delete(message.unread);
    } else if (message.template !== undefined) {
      this.#became(message.template, message);
    } else if (message.gone !== undefined) {
      this.#templates.get(message.gone)?.gone.resolve();
      this.#templates.delete(message.gone);
    } else if (message.id !== undefined) {
      const waiting = this.#waiting.get(message.id);
      if (message.pid === undefined) {
        const error = new Error(`${message.errno}: ${message.error}`);
        waiting?.started.reject(Object.assign(error, { code: message.errno }));
      } else {
        const exited = Promise.withResolvers<ProcessExit>();
        const unread = Promise.withResolvers<number | undefined>();
        const outcome = Promise.withResolvers<HelperTemplate | string>();
        const { pid, keepers = [] } = message;
        const running: Running = { pid, keepers, exited, unread, outcome };
        this.#running.set(message.id, running);
        waiting?.started.resolve(running);
      }
    }
  }

  /** A process has become a template, or has said why not. */
  #became(launch: number, { pid, declined = 'it does not say why' }: Answer): void {
    const running = this.#running.get(launch);
    if (running === undefined) return;
    if (pid === undefined) return running.outcome.resolve(declined);
    const template = { pid: running.pid, gone: Promise.withResolvers<void>() };
    this.#templates.set(launch, template);
    running.pid = pid;
    running.keepers = [];
    running.outcome.resolve({ launch, pid: template.pid, gone: template.gone.promise });
  }

  /** The helper kills its groups when it leaves; when it was killed itself, that is left to us. */
  async #onExit(): Promise<void> {
    this.#alive = false;
    this.#silent.expected(false);
    for (const { resolve } of this.#counted.values()) resolve(undefined);
    this.#counted.clear();
    for (const { pid, gone } of this.#templates.values()) {
      killGroup(pid);
      gone.resolve();
    }
    this.#templates.clear();
    for (const { pid, exited, unread, outcome } of this.#running.values()) {
      killGroup(pid);
      outcome.resolve('it ended before');
      exited.resolve({ code: null, signal: 'SIGKILL' });
      unread.resolve(undefined);
    }
    this.#running.clear();
    for (const waiting of this.#waiting.values()) {
      const error = new HelperGone();
      waiting.started.reject(error);
      waiting.pipes.reject(error);
    }
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ended already
  }
}

export class HelperGone extends Error {
  override readonly message = 'the launcher process has ended';
}

interface Answer {
  readonly id?: number;
  readonly pid?: number;
  readonly keepers?: readonly number[];
  /** The id of a launch whose process has ended. */
  readonly ended?: number;
  /** The id of a launch whose process has ended, with how many `bytes` of its stdin it did not read. */
  readonly unread?: number;
  readonly bytes?: number;
  /** The id of a launch that has become a template, with the `pid` that its plugin goes on as, or that has `declined`. */
  readonly template?: number;
  readonly declined?: string;
  /** The id of a launch whose template has ended, with its cage. */
  readonly gone?: number;
  readonly limit?: string;
  readonly code?: number;
  readonly signal?: number;
  readonly errno?: string;
  readonly error?: string;
}

function signalName(number: number | undefined): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found === undefined ? null : (found[0] as NodeJS.Signals); // the keys are the names
}

/** A socket in a folder of its own, which is for this user alone. @param opened what closes both */
async function listening(opened: AsyncDisposableStack) {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-launcher-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const address = join(folder, 'socket');
  const server = createServer({ pauseOnConnect: true });
  opened.defer(() => void server.close());
  server.listen(address);
  await once(server, 'listening');
  return { server, folder, address };
}

/** The first line that it answers. @throws with what it says of its failure */
async function readiness(child: ChildProcess, readyMs: number): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  const timer = setTimeout(() => reject(new Error('the launcher process did not get ready')), readyMs);
  child.once('error', reject);
  child.once('exit', (code, signal) =>
    reject(new Error(`the launcher process ended at its start (${signal ?? code})`)),
  );
  let said = '';
  const listen = (data: Buffer) => {
    said += data.toString('utf8');
    if (said.includes('\n')) resolve(JSON.parse(said));
  };
  child.stdout?.on('data', listen);
  try {
    const facts = await promise;
    if (typeof facts.failed === 'string') throw new Error(facts.failed);
    return facts;
  } finally {
    clearTimeout(timer);
    child.stdout?.off('data', listen);
    child.removeAllListeners('exit');
    child.removeAllListeners('error');
    child.on('error', () => {}); // a failed kill of a process that is gone
  }
}
