import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { LaunchSpec, PluginProcess, ProcessExit, ProcessLauncher, ProcessUsage } from './process-launcher.ts';
import { readProcessTreeUsage } from './process-usage.ts';

/**
 * Starts plugins as direct children of the daemon. Works everywhere Node does, but each start blocks the event loop
 * while the kernel copies the daemon's page tables (some 50 ms per GB it holds), and nobody is left to end the plugins
 * of a daemon that was killed: the launcher with a helper process exists for both.
 */
export class DirectLauncher implements ProcessLauncher {
  readonly #running = new Set<DirectProcess>();
  #closed = false;
  /** The last chance to leave no plugin behind when something calls process.exit(): only synchronous work runs then. */
  readonly #killAll = () => {
    for (const running of this.#running) running.kill('SIGKILL');
  };

  async launch(spec: LaunchSpec): Promise<PluginProcess> {
    if (this.#closed) throw new Error('the process launcher is closed');
    if (spec.cage !== undefined) throw new Error('a process that is started directly cannot be isolated');
    const child = spawn(spec.command, [...spec.args], {
      cwd: spec.cwd,
      env: { ...spec.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const started = await DirectProcess.started(child);
    if (this.#running.size === 0) process.on('exit', this.#killAll);
    this.#running.add(started);
    void started.exited.then(() => {
      this.#running.delete(started);
      if (this.#running.size === 0) process.off('exit', this.#killAll);
    });
    if (this.#closed) started.kill('SIGKILL');
    return started;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running];
    this.#killAll();
    await Promise.all(running.map((one) => one.exited));
  }
}

class DirectProcess implements PluginProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  #ended = false;

  /** Waits until the process exists; rejects with the system's error otherwise. */
  static async started(child: ChildProcess): Promise<DirectProcess> {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new DirectProcess(child);
  }

  private constructor(child: ChildProcess) {
    const { pid, stdin, stdout, stderr } = child;
    if (pid === undefined || stdin === null || stdout === null || stderr === null) {
      throw new Error('the process was started without its pid or one of its pipes');
    }
    this.#child = child;
    this.pid = pid;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    // Writers learn of a broken pipe from their callback; without a listener the event would end the daemon.
    stdin.on('error', () => {});
    child.on('error', () => {}); // a kill that failed; its return value has told the caller
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#signalGroup('SIGKILL'); // grandchildren that stayed behind
        this.#ended = true;
        resolve({ code, signal });
      });
    });
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#ended ? false : this.#signalGroup(signal);
  }

  async usage(): Promise<ProcessUsage | undefined> {
    return this.#ended ? undefined : readProcessTreeUsage(this.pid);
  }

  #signalGroup(signal: NodeJS.Signals): boolean {
    if (process.platform === 'win32') return this.#child.kill(signal);
    try {
      return process.kill(-this.pid, signal);
    } catch {
      return false; // ESRCH: nobody left in the group
    }
  }
}
