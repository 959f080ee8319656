/**
 * A plugin that a command runs: its process, and the calls on it. The process, its environment and the line protocol are those of the
 * daemon; here they get what an author needs (all output, failures in our words). Owns the process: everything it starts is gone when
 * `close` has resolved. Used by run, invoke, test, dev --local and slim.
 */
import { randomUUID } from 'node:crypto';
import { createProcessLauncher, type ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import type { RuntimeSession } from '@plugin-daemon/plugin-host/runtimes';
import {
  type Death,
  LocalRuntime,
  PluginStartError,
  pluginEnvironment,
} from '@plugin-daemon/plugin-host/runtimes/local';
import { escapeLineEnds } from '@plugin-daemon/plugin-host/text';
import { isObject } from '@plugin-daemon/values';
import { CliError } from '../errors.ts';
import { plainLog } from './plugin-log.ts';

export interface HostOptions {
  /** Absolute path of the interpreter. */
  python: string;
  /** Folder with the plugin's files, working directory of the process. */
  directory: string;
  /** Python module to run (`main`). */
  entrypoint: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Seconds until the first sign of life must have come. */
  startTimeout?: number;
  /** Seconds without a sign of life after which it is ended, should it not be busy; absent: it is only said, for a debugger may hold it. */
  silenceTimeout?: number;
  /** What the plugin logs, prints or writes to stderr, line by line. */
  onLog?: (level: string, message: string) => void;
  /** The process ended without being asked to. */
  onExit?: (failure: CliError) => void;
}

export interface PluginFailure {
  errorType: string;
  message: string;
  args?: Readonly<Record<string, unknown>> | null;
}

/** Receives what one call yields; after `end` or `fail` nothing follows. */
export interface CallSink {
  /** JSON text of one item of the stream, as the plugin wrote it. */
  chunk(json: string): void;
  /** A call back into Dify; answer with `respond`. */
  invoke?(data: unknown, respond: (answer: BackwardsAnswer) => void): void;
  end(): void;
  fail(failure: PluginFailure): void;
}

/** One message to a plugin that called back (docs/wire/runtime-protocol.md#to-the-plugin). */
export interface BackwardsAnswer {
  backwards_request_id: string;
  event: 'response' | 'error' | 'end';
  message: string;
  data: unknown;
}

export interface CallRequest {
  type: string;
  action: string;
  request: Readonly<Record<string, unknown>>;
  userId: string;
  /** Which side wins when the request carries user_id, type or action itself: run lets the request win, slim does not. */
  requestWins?: boolean;
  /** Put into the message as `tenant_id`; only slim does that. */
  tenantId?: string;
}

export interface RunningCall {
  /** Ends the call on our side and, where its SDK can be amended, inside the plugin; its connections with it. */
  cancel(): void;
}

const MAX_MESSAGE = 64 * 1024 * 1024;
const START_SECONDS = 120;
const SILENCE_SAID_MS = 60_000;
const LOOK_EVERY_MS = 5000;
const GRACE_MS = 2000;
const STDERR_CHARACTERS = 16 * 1024;

const notRunning: PluginFailure = { errorType: 'PluginExitError', message: 'the plugin is not running' };

export class PluginHost {
  readonly #launcher: ProcessLauncher;
  readonly #runtime: LocalRuntime;
  #closing = false;

  private constructor(launcher: ProcessLauncher, runtime: LocalRuntime, { onExit }: HostOptions) {
    this.#launcher = launcher;
    this.#runtime = runtime;
    void runtime.ended.then((death) => {
      if (!this.#closing) onExit?.(exitError(death));
    });
  }

  /** Starts the plugin and waits until it is ready. @throws CliError `plugin-start` or `plugin-exit`, with the end of its stderr */
  static async start(options: HostOptions, signal: AbortSignal): Promise<PluginHost> {
    const launcher = createProcessLauncher();
    try {
      return new PluginHost(launcher, await startRuntime(options, launcher, signal), options);
    } catch (error) {
      await launcher.close();
      throw error;
    }
  }

  /** Settles when no call is running. */
  idle(): Promise<void> {
    return this.#runtime.idle();
  }

  get stderr(): string {
    return this.#runtime.stderr;
  }

  /** Sends one call; the sink hears everything that follows. */
  call(request: CallRequest, sink: CallSink): RunningCall {
    if (this.#runtime.dead || this.#closing) {
      queueMicrotask(() => sink.fail(notRunning));
      return { cancel() {} };
    }
    const sessionId = randomUUID();
    const tell = (message: Record<string, unknown>): void => {
      try {
        // Whoever waits is not slowed down by a plugin that reads slowly.
        void session.send(escapeLineEnds(JSON.stringify({ ...message, session_id: sessionId })));
      } catch {
        // It is gone, which the sink is told by the runtime.
      }
    };
    const session: RuntimeSession = this.#runtime.open(sessionId, {
      chunk: (latin1) => {
        const json = Buffer.from(latin1, 'latin1').toString('utf8');
        // The usual line shape is taken on trust by the channel; only JSON may go on.
        if (!isJson(json)) return false;
        sink.chunk(json);
        return true;
      },
      flush() {},
      invoke: (data) => {
        const respond = (answer: BackwardsAnswer): void => tell({ event: 'backwards_response', data: answer });
        // The SDK registers its reader after writing the call: answer on a later turn.
        setImmediate(() => (sink.invoke === undefined ? refuse(data, respond) : sink.invoke(data, respond)));
      },
      end: () => sink.end(),
      fail: (error) => {
        if (!this.#runtime.dead) return sink.fail(error);
        void this.#runtime.ended.then((death) => sink.fail(this.#closing ? stopped : exitFailure(death)));
      },
    });
    tell(requestMessage(request));
    return { cancel: () => session.cancel() };
  }

  /** Ends the plugin: asked first, forced after two seconds. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#runtime.stop('it is not needed any more');
    await this.#launcher.close();
  }
}

const stopped: PluginFailure = { errorType: 'PluginExitError', message: 'the plugin was stopped' };

async function startRuntime(options: HostOptions, launcher: ProcessLauncher, signal: AbortSignal) {
  const { python, directory, entrypoint, silenceTimeout } = options;
  const readySeconds = options.startTimeout ?? START_SECONDS;
  const deadAfterMs = silenceTimeout === undefined ? Number.POSITIVE_INFINITY : silenceTimeout * 1000;
  const env = pluginEnvironment(options.env, { inheritAll: true });
  try {
    return await LocalRuntime.start(
      {
        identifier: entrypoint,
        pluginId: entrypoint,
        command: { command: python, args: bootstrapArguments(entrypoint), cwd: directory, env },
        launcher,
        log: plainLog((level, message) => options.onLog?.(level, message)),
        logLinesPerSecond: Number.POSITIVE_INFINITY,
        stderrCharacters: STDERR_CHARACTERS,
        readySeconds,
        maxMessageBytes: MAX_MESSAGE,
        maxMessageSetting: 'PLUGIN_MAX_MESSAGE_BYTES of the daemon; dify takes 64 MiB',
        // What is busy is spared; the limit of the call is its end.
        liveness: {
          warnAfterMs: SILENCE_SAID_MS,
          deadAfterMs,
          hopelessAfterMs: Number.POSITIVE_INFINITY,
          lookEveryMs: LOOK_EVERY_MS,
        },
        graceMs: GRACE_MS,
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof PluginStartError)) throw error;
    if (error.death.reason !== 'stopped') throw exitError(error.death);
    throw new CliError('plugin-start', `the plugin gave no sign of life within ${readySeconds} seconds`, {
      remedy: 'look at its output with --verbose or --enable-logs',
    });
  }
}

/** The message that begins a call. */
function requestMessage({ type, action, request, userId, requestWins, tenantId }: CallRequest) {
  const own = { user_id: userId, type, action };
  return {
    ...(tenantId !== undefined && { tenant_id: tenantId }),
    conversation_id: null,
    message_id: null,
    app_id: null,
    endpoint_id: null,
    context: {},
    event: 'request',
    data: requestWins === false ? { ...request, ...own } : { ...own, ...request },
  };
}

function refuse(data: unknown, respond: (answer: BackwardsAnswer) => void): void {
  const id = isObject(data) && typeof data.backwards_request_id === 'string' ? data.backwards_request_id : '';
  respond({
    backwards_request_id: id,
    event: 'error',
    message: 'calls into Dify are not available here',
    data: null,
  });
  respond({ backwards_request_id: id, event: 'end', message: '', data: null });
}

function exitError({ exit, cause, stderr }: Death): CliError {
  const how = exit.signal === null ? `exit code ${exit.code ?? 'unknown'}` : `signal ${exit.signal}`;
  const why = cause === undefined ? '' : `, because ${cause}`;
  const pid1 = exit.code === 255 && process.pid === 1;
  return new CliError('plugin-exit', `the plugin process ended (${how}${why})${stderr === '' ? '' : `:\n${stderr}`}`, {
    remedy: pid1
      ? 'dify runs as PID 1: start it under an init (docker run --init, tini), or plugins take their parent for dead'
      : 'read the traceback above; run the plugin by hand with `python -m main` to see more',
  });
}

const exitFailure = (death: Death): PluginFailure => ({
  errorType: 'PluginExitError',
  message: exitError(death).message,
  args: { code: death.exit.code, signal: death.exit.signal },
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
