import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { HelperGone, HelperProcess, type Started } from './helper-process.ts';
import { HELPER_SCRIPT } from './helper-script.ts';
import type { LaunchSpec, PluginProcess, ProcessExit, ProcessLauncher, ProcessUsage } from './process-launcher.ts';
import { readProcessTreeUsage } from './process-usage.ts';

export interface HelperLauncherOptions {
  /** Interpreters to run the helper with, the first that works is taken. */
  readonly pythons: readonly string[];
  /** PATH of the helper, in which `pythons` without a folder are looked for. */
  readonly searchPath: string;
  /** Takes over when no helper can be started. */
  readonly fallback: ProcessLauncher;
  /** Told once, with the reason, when the fallback takes over. */
  readonly onFallback: (reason: unknown) => void;
  /** Told of a helper that does not answer and is ended for that, with what it has started. */
  readonly onHung?: (() => void) | undefined;
}

/** A helper that ends is replaced; one that ends over and over is a problem to report. */
const ATTEMPTS = 3;

/**
 * Starts plugins through a small helper process, made at the first launch or before. The daemon's memory then does not matter for
 * the time a start takes, and plugins do not outlive a daemon that is killed: the helper sees its stdin end.
 */
export class HelperLauncher implements ProcessLauncher {
  readonly #options: HelperLauncherOptions;
  #helper: Promise<HelperProcess | undefined> | undefined;
  #closed = false;

  constructor(options: HelperLauncherOptions) {
    this.#options = options;
  }

  prepare(): void {
    if (this.#closed) return;
    this.#helper ??= this.#open();
    // What is short now may not be when it is needed; if it is, whoever needs it is told.
    this.#helper.catch(() => undefined);
  }

  async launch(spec: LaunchSpec): Promise<PluginProcess> {
    if (this.#closed) throw new Error('the process launcher is closed');
    for (let attempt = 1; ; attempt++) {
      this.#helper ??= this.#open();
      const current = this.#helper;
      const helper = await current;
      if (helper === undefined && spec.cage !== undefined) throw new CageUnavailable();
      if (helper === undefined) return this.#options.fallback.launch(spec);
      try {
        return new LaunchedProcess(await helper.launch(spec));
      } catch (error) {
        if (!(error instanceof HelperGone) || this.#closed || attempt >= ATTEMPTS) throw error;
        // The next one makes a new helper; what the old one had started is reported as ended.
        if (this.#helper === current) this.#helper = undefined;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const helper = await this.#helper?.catch(() => undefined);
    await Promise.all([helper?.close(), this.#options.fallback.close()]);
  }

  /** @throws HelperShortage */
  async #open(): Promise<HelperProcess | undefined> {
    let reason: unknown = new Error('no Python interpreter is configured');
    for (const python of this.#options.pythons) {
      try {
        return await HelperProcess.open({
          command: python,
          args: ['-I', '-S', '-c', HELPER_SCRIPT],
          env: { PATH: this.#options.searchPath, LC_ALL: 'C.UTF-8' },
          onHung: this.#options.onHung,
        });
      } catch (error) {
        if (isShortage(error)) {
          this.#helper = undefined;
          throw new HelperShortage(error);
        }
        reason = error;
      }
    }
    this.#options.onFallback(reason);
    return undefined;
  }
}

const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM', 'ENOSPC']);

/** Whether something could not be made because there is too little of something that there may be more of later. */
export const isShortage = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && SHORTAGES.has(error.code);

/**
 * No helper can be made now, for want of descriptors, processes, memory or disk: the next launch tries again. It says nothing about what is
 * possible here.
 */
export class HelperShortage extends Error {
  constructor(cause: Error) {
    super(`the process that starts plugins could not be made: ${cause.message}`, { cause });
  }
}

/** A cage was asked for, and there is no helper process to apply it. */
export class CageUnavailable extends Error {
  override readonly message =
    'no Python interpreter could run the helper process that isolates plugins; set PYTHON_INTERPRETER_PATH to one that runs';
}

/** The helper answers at once; for who waits for it in vain, nobody can tell. */
const UNREAD_LIMIT_MS = 1000;

export class LaunchedProcess implements PluginProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ProcessExit>;
  readonly left: Promise<void>;
  readonly unread: Promise<number | undefined>;
  readonly #started: Started;
  #ended = false;

  constructor(started: Started) {
    const { pipes, exited, unread, outcome } = started;
    this.#started = started;
    const [stdin, stdout, stderr] = pipes;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    this.exited = exited.then((exit) => {
      this.#ended = true;
      // What was written is let out, so that it can be counted.
      stdin.end();
      return exit;
    });
    this.left = this.exited.then(async () => {
      const became = await outcome;
      if (typeof became === 'object') await became.gone;
    });
    this.unread = Promise.race([unread, this.exited.then(() => pause(UNREAD_LIMIT_MS, undefined, { ref: false }))]);
    void this.unread.then(() => stdin.destroy());
  }

  get pid(): number {
    return this.#started.pid;
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.#ended) return false;
    try {
      return process.kill(-this.pid, signal);
    } catch {
      return false; // ESRCH: it ended, and the news is on its way
    }
  }

  async usage(): Promise<ProcessUsage | undefined> {
    return this.#ended ? undefined : readProcessTreeUsage(this.pid, this.#started.keepers);
  }
}
