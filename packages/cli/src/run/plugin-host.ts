/**
 * One plugin process and the calls running on it: start, readiness, sessions, calls back into Dify, end. Owns the
 * process; everything it starts is gone when `close` has resolved. Used by run, invoke, test, dev --local and slim.
 */

import { randomUUID } from 'node:crypto';
import { createProcessLauncher, type PluginProcess, type ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { pluginEnvironment } from '@plugin-daemon/plugin-host/runtimes/local';
import { cancelLine, LineChannel } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { CliError } from '../errors.ts';
import { isRecord } from '../record.ts';
import { StderrTail } from './stderr-tail.ts';

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
  /** What the plugin logs, prints or writes to stderr, line by line. */
  onLog?: (level: string, message: string) => void;
  /** The process ended without being asked to. */
  onExit?: (failure: CliError) => void;
  /** A sign of life. */
  onHeartbeat?: () => void;
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
  /** Ends the call on our side and tells the plugin. */
  cancel(): void;
}

const MAX_MESSAGE = 64 * 1024 * 1024;
const START_TIMEOUT = 120;

export class PluginHost {
  readonly #launcher: ProcessLauncher;
  readonly #options: HostOptions;
  readonly #channel: LineChannel;
  readonly #tail = new StderrTail();
  #process: PluginProcess | undefined;
  #closing = false;
  #ready: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(options: HostOptions) {
    this.#options = options;
    this.#launcher = createProcessLauncher();
    this.#channel = new LineChannel({
      maxMessageBytes: MAX_MESSAGE,
      maxMessageSetting: 'the size of one message',
      events: {
        heartbeat: () => {
          options.onHeartbeat?.();
          this.#ready?.resolve();
        },
        log: (level, message) => options.onLog?.(level, message),
        pluginError: (data) => options.onLog?.('error', data),
        // The manifest the SDK prints first is no event and nobody's news.
        stray: (text) => {
          if (!text.startsWith('{"version"')) options.onLog?.('info', text);
        },
        fault: (error) =>
          options.onLog?.(
            'error',
            `what the plugin wrote could not be dealt with: ${error instanceof Error ? error.message : String(error)}`,
          ),
        lateInvoke: (sessionId, id) =>
          this.#write({
            session_id: sessionId,
            event: 'backwards_response',
            data: { backwards_request_id: id, event: 'error', message: 'the session is over', data: null },
          }),
      },
    });
  }

  /** Starts the plugin and waits until it is ready. @throws CliError `plugin-start` with the end of its stderr */
  static async start(options: HostOptions, signal: AbortSignal): Promise<PluginHost> {
    const host = new PluginHost(options);
    try {
      await host.#start(signal);
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  get sessions(): number {
    return this.#channel.sessions;
  }

  get stderrTail(): string {
    return this.#tail.text;
  }

  async #start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { python, directory, entrypoint } = this.#options;
    const env = pluginEnvironment(this.#options.env, { inheritAll: true });
    const running = await this.#launcher.launch({ command: python, args: ['-m', entrypoint], cwd: directory, env });
    this.#process = running;
    running.stdout.on('data', (chunk: Buffer) => this.#channel.push(chunk));
    running.stdout.on('error', () => {});
    running.stderr.on('data', (chunk: Buffer) => {
      for (const line of this.#tail.push(chunk)) this.#options.onLog?.('stderr', line);
    });
    running.stderr.on('error', () => {});

    const ready = new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    // The exit handler below may reject before anyone waits.
    ready.catch(() => {});
    void running.exited.then((exit) => this.#exited(exit.code, exit.signal));
    const seconds = this.#options.startTimeout ?? START_TIMEOUT;
    const timer = setTimeout(
      () =>
        this.#ready?.reject(
          new CliError('plugin-start', `the plugin gave no sign of life within ${seconds} seconds`, {
            remedy: 'look at its output with --verbose or --enable-logs',
          }),
        ),
      seconds * 1000,
    );
    const onAbort = (): void => this.#ready?.reject(new DOMException('interrupted', 'AbortError'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await ready;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#ready = undefined;
    }
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#closing) return;
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    const tail = this.#tail.text.trim();
    const pid1 = code === 255 && process.pid === 1;
    const failure = new CliError('plugin-exit', `the plugin process ended (${how})${tail === '' ? '' : `:\n${tail}`}`, {
      remedy: pid1
        ? 'dify runs as PID 1: start it under an init (docker run --init, tini), or plugins take their parent for dead'
        : 'read the traceback above; run the plugin by hand with `python -m main` to see more',
    });
    this.#channel.fail({ errorType: 'PluginExitError', message: failure.message, args: { code, signal } });
    if (this.#ready !== undefined) this.#ready.reject(failure);
    else this.#options.onExit?.(failure);
    this.#process = undefined;
  }

  /** Sends one call; the sink hears everything that follows. */
  call(request: CallRequest, sink: CallSink): RunningCall {
    const sessionId = randomUUID();
    if (this.#process === undefined) {
      queueMicrotask(() => sink.fail({ errorType: 'PluginExitError', message: 'the plugin is not running' }));
      return { cancel() {} };
    }
    this.#channel.open(sessionId, {
      chunk: (latin1) => {
        const json = Buffer.from(latin1, 'latin1').toString('utf8');
        // The usual line shape is taken on trust by the channel; only JSON may go on.
        if (!isJson(json)) return false;
        sink.chunk(json);
        return true;
      },
      flush() {},
      invoke: (data) => {
        // The SDK registers its reader after writing the call: answer on a later turn.
        setImmediate(() => {
          const respond = (answer: BackwardsAnswer): void =>
            this.#write({ session_id: sessionId, event: 'backwards_response', data: answer });
          if (sink.invoke !== undefined) sink.invoke(data, respond);
          else {
            const id = isRecord(data) && typeof data.backwards_request_id === 'string' ? data.backwards_request_id : '';
            respond({
              backwards_request_id: id,
              event: 'error',
              message: 'calls into Dify are not available here',
              data: null,
            });
            respond({ backwards_request_id: id, event: 'end', message: '', data: null });
          }
        });
      },
      end: () => sink.end(),
      fail: (error) => sink.fail(error),
    });
    const own = { user_id: request.userId, type: request.type, action: request.action };
    const data = request.requestWins === false ? { ...request.request, ...own } : { ...own, ...request.request };
    const tenant = request.tenantId === undefined ? {} : { tenant_id: request.tenantId };
    this.#write({
      ...tenant,
      session_id: sessionId,
      conversation_id: null,
      message_id: null,
      app_id: null,
      endpoint_id: null,
      context: {},
      event: 'request',
      data,
    });
    return {
      cancel: () => {
        if (this.#channel.close(sessionId)) this.#process?.stdin.write(`${cancelLine(sessionId)}\n`);
      },
    };
  }

  #write(message: Record<string, unknown>): void {
    // Line separators beyond LF are escaped: some readers split on them.
    const line = JSON.stringify(message).replace(
      /[\u0085\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    this.#process?.stdin.write(`${line}\n`);
  }

  /** Ends the plugin: asked first, forced after two seconds. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    const running = this.#process;
    if (running !== undefined) {
      running.kill('SIGTERM');
      const timer = setTimeout(() => running.kill('SIGKILL'), 2000);
      await running.exited;
      clearTimeout(timer);
      this.#process = undefined;
    }
    this.#channel.fail({ errorType: 'PluginExitError', message: 'the plugin was stopped' });
    await this.#launcher.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
