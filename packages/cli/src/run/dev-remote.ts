/** `plugin dev` against a Dify: plugin processes behind a relay that keeps the debugging connection. */
import { createProcessLauncher, type PluginProcess, type ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import { pluginEnvironment, StderrTail } from '@plugin-daemon/plugin-host/runtimes/local';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { Call } from '../command.ts';
import { CliError } from '../errors.ts';
import { DebugRelay } from './debug-relay.ts';
import { logPrinter } from './dev-log.ts';
import type { DevPlugin, DevTarget } from './dev-target.ts';

const REGISTER_MS = 60_000;
const DRAIN_MS = 5000;
const RESTART_MS = 1000;
/** Characters of a line that are looked at. */
const MAX_LINE = 1024 * 1024;

export class RemoteTarget implements DevTarget {
  readonly #call: Call;
  readonly #relay: DebugRelay;
  readonly #launcher: ProcessLauncher = createProcessLauncher();
  readonly #key: string;
  #port: number | undefined;
  #process: PluginProcess | undefined;
  #onRegistered: (() => void) | undefined;
  #closing = false;

  constructor(call: Call, address: { host: string; port: number }, key: string) {
    const { io } = call;
    this.#call = call;
    this.#key = key;
    this.#relay = new DebugRelay(address, key, {
      state: (text, ok) => io.note(ok ? io.colors.green(text) : io.colors.red(text)),
      call: (event, { type, action, milliseconds, message }) => {
        if (event === 'start') io.note(io.colors.cyan(`→ ${type}/${action}`));
        else if (event === 'error') io.note(io.colors.red(`✗ ${type}/${action} ${message ?? ''}`));
        else
          io.note(
            io.colors.cyan(`← ${type}/${action} ${milliseconds} ms${message === undefined ? '' : ` (${message})`}`),
          );
      },
      registered: () => this.#onRegistered?.(),
    });
  }

  async replace(plugin: DevPlugin): Promise<void> {
    const { io, signal } = this.#call;
    this.#port ??= await this.#relay.listen();
    const startedAt = performance.now();
    const old = this.#process;
    const next = await this.#start(plugin, this.#port);
    try {
      await this.#untilRegistered(next, signal);
    } catch (error) {
      next.kill('SIGKILL');
      throw error;
    }
    this.#process = next;
    io.note(
      io.colors.green(
        `${old === undefined ? 'started' : 'restarted'} in ${Math.round(performance.now() - startedAt)} ms`,
      ),
    );
    if (old !== undefined) void this.#retire(old);
    void next.exited.then(() => this.#restart(next, plugin));
  }

  async #start(plugin: DevPlugin, port: number): Promise<PluginProcess> {
    const env = {
      ...pluginEnvironment(this.#call.env, { inheritAll: true }),
      INSTALL_METHOD: 'remote',
      REMOTE_INSTALL_URL: `127.0.0.1:${port}`,
      REMOTE_INSTALL_HOST: '127.0.0.1',
      REMOTE_INSTALL_PORT: String(port),
      REMOTE_INSTALL_KEY: this.#key,
      PYTHONUNBUFFERED: '1',
    };
    const running = await this.#launcher.launch({
      command: plugin.python,
      args: bootstrapArguments(plugin.entrypoint),
      cwd: plugin.directory,
      env,
    });
    running.stdin.end();
    const log = logPrinter(this.#call.io);
    for (const [stream, name] of [
      [running.stdout, 'stdout'],
      [running.stderr, 'stderr'],
    ] as const) {
      const lines = new StderrTail((line) => this.#show(line.trimEnd(), name, log), MAX_LINE);
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => lines.push(chunk));
    }
    return running;
  }

  /** The SDK's log handler writes events of the line protocol; everything else is the author's own output. */
  #show(line: string, stream: string, log: (level: string, message: string) => void): void {
    if (line.startsWith('{')) {
      try {
        const value: unknown = JSON.parse(line);
        if (isObject(value) && value.event === 'log' && isObject(value.data))
          return log(String(value.data.level), String(value.data.message));
        if (isObject(value) && (value.event === 'heartbeat' || 'plugins' in value)) return;
      } catch {
        // No JSON after all: shown as it is.
      }
    }
    log(stream === 'stderr' ? 'stderr' : 'print', line);
  }

  #untilRegistered(running: PluginProcess, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new CliError('plugin-start', 'the plugin did not register within 60 seconds')),
        REGISTER_MS,
      );
      const finish = (act: () => void) => (): void => {
        clearTimeout(timer);
        this.#onRegistered = undefined;
        act();
      };
      this.#onRegistered = finish(resolve);
      signal.addEventListener(
        'abort',
        finish(() => reject(new DOMException('interrupted', 'AbortError'))),
        { once: true },
      );
      void running.exited.then((exit) =>
        finish(() =>
          reject(
            new CliError(
              'plugin-exit',
              `the plugin ended before it was ready (${exit.signal ?? `exit code ${exit.code}`})`,
            ),
          ),
        )(),
      );
    });
  }

  async #retire(old: PluginProcess): Promise<void> {
    for (let waited = 0; this.#relay.callsOnOthers > 0 && waited < DRAIN_MS; waited += 100)
      await new Promise((resolve) => setTimeout(resolve, 100));
    old.kill('SIGKILL');
  }

  async #restart(ended: PluginProcess, plugin: DevPlugin): Promise<void> {
    if (this.#closing || this.#process !== ended) return;
    this.#process = undefined;
    this.#call.io.error('the plugin ended, starting it again');
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    if (this.#closing || this.#process !== undefined) return;
    try {
      await this.replace(plugin);
    } catch (error) {
      this.#call.io.error(messageOf(error));
      this.#call.io.note('waiting for the next change');
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#process?.kill('SIGKILL');
    await this.#launcher.close();
    await this.#relay.close();
  }
}
