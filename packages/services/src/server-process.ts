import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface ServerProcessOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Where what it prints goes. */
  readonly logFile: string;
  /** Rejects as long as it does not answer. */
  readonly ask: () => Promise<unknown>;
  /** The signal that ends it without waiting for its clients. */
  readonly stopSignal: NodeJS.Signals;
}

const patienceMs = 120_000;
const lookMs = 50;

/** One server as a child of this process; it can be killed, paused and started again on the same port and data. */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    process.once('exit', this.#endWithUs);
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const { command, logFile } = this.#options;
    const [program, ...args] = command;
    const log = openSync(logFile, 'a');
    // What a server leaves where it runs (Podman's monitor: an empty file `oom`) stays with its own files.
    this.#child = spawn(program, args, { stdio: ['ignore', log, log], cwd: dirname(logFile) });
    closeSync(log);
    await this.answers();
  }

  /** Waits until it answers. @throws with the end of its log when it ended, or does not answer for long */
  async answers(): Promise<void> {
    const until = Date.now() + patienceMs;
    for (;;) {
      const child = this.#child;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null)
        throw this.#failed('ended', undefined);
      try {
        await this.#options.ask();
        return;
      } catch (error) {
        if (Date.now() > until) throw this.#failed('does not answer', error);
      }
      await pause(lookMs);
    }
  }

  /** As an operator would stop it: its data are whole, its clients are cut off. */
  async stop(): Promise<void> {
    await this.#end(this.#options.stopSignal);
    process.removeListener('exit', this.#endWithUs);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It keeps its connections and answers nothing, as a machine does that the network has lost. */
  pause(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const pids = this.#descendants(child.pid ?? 0);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const pid of [child.pid ?? 0, ...pids]) signalIfThere(pid, 'SIGCONT');
    child.kill(signal);
    const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs / 2);
    await ended;
    clearTimeout(impatient);
    // Those of a server that was killed notice it by themselves; its port and data are free when they have.
    while (pids.some(lives)) await pause(lookMs);
  }

  #pids(): readonly number[] {
    const pid = this.#child?.pid;
    return pid === undefined ? [] : [pid, ...this.#descendants(pid)];
  }

  #descendants(parent: number): readonly number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => parentOf(pid) === parent)
      .map(Number);
  }

  #failed(what: string, cause: unknown): Error {
    const tail = readFileSync(this.#options.logFile, 'utf8').slice(-2000);
    return new Error(`${this.#options.name} ${what}:\n${tail}`, { cause });
  }

  readonly #endWithUs = (): void => {
    this.#child?.kill('SIGKILL');
  };
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    // Ended meanwhile.
    return undefined;
  }
}

function lives(pid: number): boolean {
  return signalIfThere(pid, 0);
}

function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
