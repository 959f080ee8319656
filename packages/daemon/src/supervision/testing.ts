/** For the tests of this folder: plugin processes that live and die as a test says, and a log that keeps what it is told. */
import type { InstanceListener, PluginInstance, RuntimeSession } from '@plugin-daemon/plugin-host/runtimes';
import type { Log } from '../telemetry/index.ts';
import type { Urgency } from './limiter.ts';
import type { PoolPolicy } from './policy.ts';

/** One process, awake for ever, as far as a test does not say otherwise. */
export const testPolicy = (changes: Partial<PoolPolicy> = {}): PoolPolicy => ({
  min: 0,
  max: 1,
  target: 4,
  limit: 1000,
  queue: 1000,
  idleMs: undefined,
  ...changes,
});

export class FakeProcess implements PluginInstance {
  readonly type = 'local';
  readonly pluginId = 'tests/fake';
  readonly identifier = 'tests/fake:0.0.1@abc';
  readonly facts: { readonly pid: number };
  stopped: string | undefined;
  listener: InstanceListener | undefined;
  readonly #sessions = new Set<string>();
  readonly #ended = Promise.withResolvers<{ readonly text: string }>();
  #dead = false;
  #idle = Promise.withResolvers<void>();

  constructor(pid = 1) {
    this.facts = { pid };
  }

  get dead(): boolean {
    return this.#dead;
  }

  get load(): number {
    return this.#sessions.size;
  }

  get ended(): Promise<{ readonly text: string }> {
    return this.#ended.promise;
  }

  open(sessionId: string): RuntimeSession {
    this.#sessions.add(sessionId);
    const close = () => {
      if (this.#sessions.delete(sessionId)) this.listener?.closed();
      if (this.#sessions.size > 0) return;
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    };
    return { send: () => undefined, close, cancel: close };
  }

  watch(listener: InstanceListener): void {
    this.listener = listener;
  }

  idle(): Promise<void> {
    return this.#sessions.size === 0 ? Promise.resolve() : this.#idle.promise;
  }

  die(text = 'it died'): void {
    this.#dead = true;
    this.#ended.resolve({ text });
  }

  async stop(reason: string): Promise<unknown> {
    this.stopped = reason;
    this.die(`stopped: ${reason}`);
    return this.ended;
  }
}

/** Starts under way, to be settled by the test. */
export class FakeStarts {
  readonly calls: {
    readonly identifier: string;
    readonly signal: AbortSignal;
    readonly onProgress: (step: string) => void;
    readonly urgency?: Urgency | undefined;
    readonly outcome: PromiseWithResolvers<PluginInstance>;
  }[] = [];

  start = (
    identifier: string,
    { signal, onProgress, urgency }: { signal: AbortSignal; onProgress: (step: string) => void; urgency?: Urgency },
  ): Promise<PluginInstance> => {
    const outcome = Promise.withResolvers<PluginInstance>();
    signal.addEventListener('abort', () => outcome.reject(signal.reason), { once: true });
    this.calls.push({ identifier, signal, onProgress, urgency, outcome });
    return outcome.promise;
  };

  /** The newest start succeeds. */
  succeed(process = new FakeProcess()): FakeProcess {
    this.calls.at(-1)?.outcome.resolve(process);
    return process;
  }

  fail(error: Error): void {
    this.calls.at(-1)?.outcome.reject(error);
  }
}

export function fakeLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (_fields: object, text: string) => void lines.push(text);
  // The methods that supervision uses.
  const log = { debug: write, info: write, warn: write, error: write } as unknown as Log;
  return { log, lines };
}
