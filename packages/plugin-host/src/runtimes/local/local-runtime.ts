import { type SessionError, sessionError } from '../../errors/index.ts';
import type { LaunchSpec, PluginProcess, ProcessExit, ProcessLauncher } from '../../launcher/index.ts';
import type { Log } from '../../log/index.ts';
import type { PluginBudgets } from '../plugin-budgets.ts';
import { type CancellationOptions, PluginChannel, readFairly } from '../protocol/index.ts';
import type { InstanceListener, PluginInstance, RuntimeSession, SessionSink } from '../runtime.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import { MemoryWatch } from './memory-watch.ts';
import { type StandingOptions, StandingWatch } from './standing-watch.ts';
import { StderrTail } from './stderr-tail.ts';

export interface LocalRuntimeOptions {
  readonly identifier: string;
  readonly pluginId: string;
  readonly command: LaunchSpec;
  readonly launcher: Pick<ProcessLauncher, 'launch'>;
  readonly log: Log;
  /** How long the first heartbeat may take. */
  readonly readySeconds: number;
  readonly maxMessageBytes: number;
  /** How its users raise it; default: the daemon's setting. */
  readonly maxMessageSetting?: string;
  /** Absent: one message is the only limit. */
  readonly budgets?: PluginBudgets;
  readonly liveness: LivenessOptions;
  /** What the process may use; `watch`: nobody else looks. */
  readonly memoryLimit?: { readonly bytes: number; readonly text: string; readonly watch: boolean };
  /** What it stands on; when that is gone it is replaced, like one that is stuck. */
  readonly standing?: StandingOptions;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** How long a call may go on after it was cancelled before the instance counts as stuck; absent: for ever. */
  readonly cancelGraceMs?: number | undefined;
  /** Of what the plugin says for the log; default: what keeps one plugin from flooding a daemon's. */
  readonly logLinesPerSecond?: number;
  /** How much of stderr is kept for the day it ends; default 4096. */
  readonly stderrCharacters?: number;
}

/** How long output may still arrive after the process has ended (a descendant may keep the pipe open). */
const LAST_OUTPUT_MS = 250;

/** Output ends a moment before the process, when that ends; one that goes on after it cannot say anything any more. */
const MUTE_MS = 1000;

/** `memory-limit`: it used more than it may; `stopped`: we ended it, for another reason. */
export type DeathReason = 'exit' | 'stopped' | 'memory-limit';

/** Why a process ended, in words for the caller and the log. */
export interface Death {
  readonly reason: DeathReason;
  readonly text: string;
  /** Why we ended it, where we did. */
  readonly cause: string | undefined;
  readonly exit: ProcessExit;
  readonly stderr: string;
}

/** A plugin that ended before it was ready; the message names exit code, signal and the last of stderr. */
export class PluginStartError extends Error {
  override readonly name = 'PluginStartError';
  readonly death: Death;

  constructor(death: Death) {
    super(death.text);
    this.death = death;
  }
}

/**
 * One process of one plugin (docs/wire/runtime-protocol.md#local-runtime): started, ready after its first heartbeat, ended once. A plugin
 * that is restarted gets a new LocalRuntime; supervision/ decides about that and nobody else starts or stops one.
 */
export class LocalRuntime implements PluginInstance {
  readonly type = 'local';
  readonly pluginId: string;
  readonly identifier: string;
  readonly #process: PluginProcess;
  readonly #options: LocalRuntimeOptions;
  readonly #channel: PluginChannel;
  readonly #stderr: StderrTail;
  readonly #liveness: Liveness;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Death>();
  readonly #memory: MemoryWatch | undefined;
  readonly #standing: StandingWatch | undefined;
  #listener: InstanceListener | undefined;
  #dead = false;
  #exceeded = false;
  #endReason: string | undefined;

  /** Starts the process; resolves when it is ready. @throws PluginStartError, AbortError */
  static async start(options: LocalRuntimeOptions, signal: AbortSignal): Promise<LocalRuntime> {
    signal.throwIfAborted();
    const runtime = new LocalRuntime(await options.launcher.launch(options.command), options);
    const abort = () => void runtime.stop('the start was given up');
    signal.addEventListener('abort', abort, { once: true });
    // While it was launched; an event that is past is not told again.
    if (signal.aborted) abort();
    const limit = setTimeout(
      () => void runtime.stop(`no heartbeat came within ${options.readySeconds} s (PYTHON_ENV_INIT_TIMEOUT)`),
      options.readySeconds * 1000,
    );
    try {
      await Promise.race([
        runtime.#ready.promise,
        runtime.#ended.promise.then((death) => Promise.reject(new PluginStartError(death))),
      ]);
      return runtime;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(limit);
      signal.removeEventListener('abort', abort);
    }
  }

  private constructor(process: PluginProcess, options: LocalRuntimeOptions) {
    this.#process = process;
    this.#options = options;
    this.identifier = options.identifier;
    this.pluginId = options.pluginId;
    this.#channel = new PluginChannel({
      output: process.stdin,
      maxMessageBytes: options.maxMessageBytes,
      maxMessageSetting: options.maxMessageSetting,
      budgets: options.budgets,
      owner: options.pluginId,
      log: options.log,
      logLinesPerSecond: options.logLinesPerSecond,
      fields: {
        plugin: options.identifier,
        get pid() {
          return process.pid;
        },
      },
      onHeartbeat: () => this.#ready.resolve(),
      cancellation: options.cancelGraceMs === undefined ? undefined : this.#watchCancelled(options.cancelGraceMs),
      onClosed: () => this.#listener?.closed(),
    });
    this.#stderr = new StderrTail((line) => this.#channel.stderr(line), options.stderrCharacters);
    this.#liveness = new Liveness(process, options.liveness, {
      onSilent: (seconds, busy) => {
        options.log.warn({ plugin: this.identifier, silent_seconds: seconds, busy }, 'plugin is silent');
        if (this.load > 0) this.#listener?.stuck(`it has open calls and has not been heard of for ${seconds} s`);
      },
      onDead: (reason) => void this.stop(reason),
    });
    if (options.memoryLimit?.watch) {
      this.#memory = new MemoryWatch(process, options.memoryLimit.bytes, () => {
        this.#exceeded = true;
        process.kill('SIGKILL');
      });
    }
    if (options.standing !== undefined) {
      this.#standing = new StandingWatch(options.standing, (reason) => {
        options.log.warn({ plugin: this.identifier, pid: process.pid, reason }, 'plugin is replaced');
        this.#listener?.stuck(reason);
      });
    }
    readFairly(process.stdout, (bytes) => this.#guarded(() => this.#channel.push(bytes)));
    readFairly(process.stderr, (bytes) => this.#guarded(() => this.#stderr.push(bytes)));
    process.stdout.once('end', () => this.#endMute());
    void this.#watch();
  }

  get facts(): Readonly<{ pid: number; cancels?: string }> {
    const { cancels } = this.#channel;
    return { pid: this.#process.pid, ...(cancels !== undefined && { cancels: String(cancels) }) };
  }

  get load(): number {
    return this.#channel.sessions;
  }

  watch(listener: InstanceListener): void {
    this.#listener = listener;
  }

  answered(kind: string, ms: number): void {
    this.#listener?.answered(kind, ms);
  }

  idle(): Promise<void> {
    return this.#channel.idle();
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** What it wrote to stderr last. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** Settles when the process has ended, whoever ended it. */
  get ended(): Promise<Death> {
    return this.#ended.promise;
  }

  /** Settles when nothing uses what the process was held in any more: perhaps others still do when it has ended. */
  get left(): Promise<void> {
    return this.#process.left ?? this.#ended.promise.then(() => undefined);
  }

  open(sessionId: string, sink: SessionSink): RuntimeSession {
    if (this.#dead) throw new Error('plugin instance stopped');
    return this.#channel.open(sessionId, sink);
  }

  #watchCancelled(graceMs: number): CancellationOptions {
    return {
      graceMs,
      onUnyielding: (sessionId) => {
        const text = `a call that was cancelled went on for ${graceMs / 1000} s: its code neither waits nor ends`;
        this.#options.log.warn({ plugin: this.identifier, pid: this.#process.pid, session_id: sessionId }, text);
        this.#listener?.stuck(text);
      },
    };
  }

  /** Ends the process: SIGTERM to its group, SIGKILL after the grace period. Resolves when it has ended. */
  async stop(reason: string): Promise<Death> {
    this.#endReason ??= reason;
    // stdin is closed only by the kill: the SDK spins at full speed on its end (docs/wire/runtime-protocol.md#the-sdk-process).
    this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), this.#options.graceMs);
    try {
      return await this.#ended.promise;
    } finally {
      clearTimeout(kill);
    }
  }

  /** Reads what the plugin wrote. The channel throws at nothing it says; should anything throw all the same, the plugin ends and nothing else. */
  #guarded(read: () => void): void {
    this.#liveness.touch();
    try {
      read();
    } catch (error) {
      this.#options.log.error({ plugin: this.identifier, error }, 'reading a plugin failed: it is ended');
      this.stop('the daemon failed while it read what the plugin wrote').catch((failed: unknown) =>
        this.#options.log.error({ plugin: this.identifier, error: failed }, 'a plugin could not be ended'),
      );
    }
  }

  /** Nobody gets an answer from it, and no heartbeat: it makes room for one that talks. */
  #endMute(): void {
    const end = () => {
      if (this.#dead) return;
      this.stop('it closed its stdout, through which it answers').catch((error: unknown) =>
        this.#options.log.error({ plugin: this.identifier, error }, 'a plugin could not be ended'),
      );
    };
    setTimeout(end, MUTE_MS).unref();
  }

  async #watch(): Promise<void> {
    const exit = await this.#process.exited;
    this.#dead = true;
    this.#liveness.stop();
    this.#memory?.stop();
    this.#standing?.stop();
    await lastOutput(this.#process, LAST_OUTPUT_MS);
    const stderr = this.#stderr.text;
    const how = exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
    const limit = this.#exceeded || exit.limit === 'memory' ? this.#options.memoryLimit : undefined;
    const cause = limit === undefined ? this.#endReason : `it used more than ${limit.text}`;
    const why = cause === undefined ? '' : `, because ${cause}`;
    const hint = orphanHint(exit);
    const text = `the plugin process ended (${how}${why})${hint}${stderr === '' ? '' : `; its last words: ${stderr}`}`;
    const unread = this.#channel.sessions > 0 ? await this.#process.unread : undefined;
    this.#channel.fail(connectionClosed(text, exit, stderr, limit?.bytes), unread);
    const reason = limit !== undefined ? 'memory-limit' : this.#endReason !== undefined ? 'stopped' : 'exit';
    this.#ended.resolve({ reason, text, cause, exit, stderr });
  }
}

const connectionClosed = (text: string, exit: ProcessExit, stderr: string, memoryLimit?: number): SessionError =>
  sessionError('ConnectionClosedError', `Connection closed unexpectedly: ${text}`, {
    exit_code: exit.code,
    signal: exit.signal,
    stderr,
    ...(memoryLimit !== undefined && { memory_limit: memoryLimit }),
  });

/** The SDK leaves with this code when its parent is PID 1, without a word (docs/wire/runtime-protocol.md#the-sdk-process). */
const orphanHint = (exit: ProcessExit): string =>
  exit.code === 255 && process.pid === 1
    ? '; the daemon runs as PID 1, which makes plugins exit: start it under an init such as tini'
    : '';

async function lastOutput(process: PluginProcess, limitMs: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  const ended = Promise.all(
    [process.stdout, process.stderr].map(
      (stream) =>
        new Promise<void>((resolve) =>
          stream.closed || stream.readableEnded ? resolve() : void stream.once('close', resolve),
        ),
    ),
  );
  await Promise.race([ended, limit.promise]);
  clearTimeout(timer);
}
