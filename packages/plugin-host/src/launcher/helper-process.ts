import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { type Answer, readiness, signalName } from './helper-answers.ts';
import { AwaitedPipes, introduce, listening, type Pipes } from './helper-pipes.ts';
import type { Fork, LaunchSpec, ProcessExit } from './process-launcher.ts';
import { SilentHelper, type SilentHelperOptions } from './silent-helper.ts';

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
  readonly connections: AwaitedPipes;
}

/** The program that is a helper; it is looked at while a launch waits. */
export interface HelperProgram extends SilentHelperOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take until it is ready; milliseconds. */
  readonly readyMs?: number;
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

const READY_MS = 10_000;
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
    { command, args, env, readyMs = READY_MS, ...looks }: HelperProgram,
    { signal, onSpawned }: OpenOptions = {},
  ): Promise<HelperProcess> {
    signal?.throwIfAborted();
    // It starts in this turn of the event loop, which may be busy for long.
    // Its own group: a Ctrl-C in the terminal is for the daemon, which ends its plugins in order.
    const child: ChildProcess = spawn(command, [...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      cwd: '/',
      env: { ...env },
    });
    const giveUp = () => void child.kill('SIGKILL');
    // Without descriptors for pipes there are none, and the error comes next.
    child.stdin?.on('error', () => {}); // its exit, which follows, is what counts
    signal?.addEventListener('abort', giveUp, { once: true });
    let isReady = false;
    onSpawned?.((what) => void (isReady || child.kill(what)));
    try {
      const facts = await readiness(child, readyMs);
      isReady = true;
      // It may have been told to stand still after it had said so.
      child.kill('SIGCONT');
      signal?.throwIfAborted();
      // From now on it clears this away, should the daemon be killed.
      await using opened = new AsyncDisposableStack();
      const { server, folder, address } = await listening(opened);
      signal?.throwIfAborted();
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the launcher process ended at its start (${child.signalCode ?? child.exitCode})`);
      child.stdin?.write(`${JSON.stringify({ address })}\n`);
      const helper = new HelperProcess(child, server, folder, facts, looks);
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
    looks: SilentHelperOptions,
  ) {
    if (child.pid === undefined) throw new Error('the helper has no pid');
    this.pid = child.pid;
    this.#child = child;
    this.#server = server;
    this.#folder = folder;
    this.facts = facts;
    this.#silent = new SilentHelper(child, looks);
    server.on('connection', (socket) => introduce(socket, (launch) => this.#waiting.get(launch)?.connections));
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
    const waiting: Waiting = { started: Promise.withResolvers(), connections: new AwaitedPipes() };
    this.#waiting.set(id, waiting);
    this.#holdLoop();
    this.#silent.expected(true);
    this.#child.stdin?.write(`${JSON.stringify({ id, token: waiting.connections.token, ...request })}\n`);
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
        pipes: await waiting.connections.pipes,
        exited: exited.promise,
        unread: unread.promise,
        outcome: outcome.promise,
      };
    } catch (error) {
      waiting.connections.destroy();
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
      waiting.connections.fail(error);
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
