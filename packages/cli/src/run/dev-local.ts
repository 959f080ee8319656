/** `plugin dev --local`: the plugin answers requests from stdin, calls into Dify get fixed answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../command.ts';
import { declarationOf } from '../source/source.ts';
import { logPrinter } from './dev-log.ts';
import type { DevPlugin, DevTarget } from './dev-target.ts';
import { MockStorage } from './mock-dify.ts';
import { type CallRequest, type CallSink, PluginHost, type RunningCall } from './plugin-host.ts';
import { LineWriter } from './protocol.ts';
import { readMapping } from './script-file.ts';
import { serveClient, streamInput } from './session.ts';

const DRAIN_MS = 5000;

export class LocalTarget implements DevTarget {
  readonly #call: Call;
  #host: PluginHost | undefined;
  #serving: Promise<void> | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  async replace(plugin: DevPlugin): Promise<void> {
    const { io, env, signal, flags } = this.#call;
    const startedAt = performance.now();
    const log = logPrinter(io);
    const next = await PluginHost.start(
      { ...plugin, env, onLog: log, onExit: (failure) => io.error(failure.message) },
      signal,
    );
    const old = this.#host;
    this.#host = next;
    io.note(
      io.colors.green(
        `${old === undefined ? 'started' : 'restarted'} in ${Math.round(performance.now() - startedAt)} ms`,
      ),
    );
    if (old !== undefined) void this.#retire(old);
    if (this.#serving !== undefined) return;
    const { declaration } = declarationOf(plugin.source);
    const mock = flags.text('mock');
    const script = mock === undefined ? undefined : await readMapping(mock);
    const supervisor = { call: (request: CallRequest, sink: CallSink) => this.#forward(request, sink) };
    this.#serving = serveClient(
      streamInput(io.stdin),
      new LineWriter(process.stdout, 'json'),
      { declaration, supervisor, storage: new MockStorage(flags.text('storage-dir')), script },
      signal,
    );
    this.#serving.catch((error: unknown) => io.error(String(error)));
  }

  #forward(request: CallRequest, sink: CallSink): RunningCall {
    const { io } = this.#call;
    const startedAt = performance.now();
    io.note(io.colors.cyan(`→ ${request.action}`));
    const host = this.#host;
    if (host === undefined) {
      queueMicrotask(() => sink.fail({ errorType: 'PluginExitError', message: 'the plugin is not running' }));
      return { cancel() {} };
    }
    const took = (): string => `${Math.round(performance.now() - startedAt)} ms`;
    return host.call(request, {
      chunk: (json) => sink.chunk(json),
      ...(sink.invoke === undefined ? {} : { invoke: (data, respond) => sink.invoke?.(data, respond) }),
      end() {
        io.note(io.colors.cyan(`← ${request.action} ${took()}`));
        sink.end();
      },
      fail(failure) {
        io.note(io.colors.red(`✗ ${request.action} ${took()} ${failure.errorType}: ${failure.message}`));
        const traceback = failure.args?.traceback;
        if (typeof traceback === 'string') io.note(traceback.trimEnd());
        sink.fail(failure);
      },
    });
  }

  /** The old plugin finishes what it does, for a moment. */
  async #retire(old: PluginHost): Promise<void> {
    const enough = new AbortController();
    await Promise.race([old.idle(), sleep(DRAIN_MS, undefined, { signal: enough.signal }).catch(() => {})]);
    enough.abort();
    await old.close();
  }

  async close(): Promise<void> {
    await this.#host?.close();
  }
}
