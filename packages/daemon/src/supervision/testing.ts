/** For the tests of this folder: plugin processes that live and die as a test says, and a log that keeps what it is told. */
import type { Death, LocalRuntime } from '../runtimes/local/index.ts';
import type { Log } from '../telemetry/index.ts';

export class FakeProcess {
  readonly pid: number;
  sessions = 0;
  dead = false;
  stopped: string | undefined;
  readonly #ended = Promise.withResolvers<Death>();

  constructor(pid = 1) {
    this.pid = pid;
  }

  get ended(): Promise<Death> {
    return this.#ended.promise;
  }

  die(text = 'it died'): void {
    this.dead = true;
    this.#ended.resolve({ reason: 'exit', text, exit: { code: 1, signal: null }, stderr: '' });
  }

  async stop(reason: string): Promise<Death> {
    this.stopped = reason;
    this.die(`stopped: ${reason}`);
    return this.ended;
  }

  /** Supervision uses no more of a runtime than what is here. */
  get runtime(): LocalRuntime {
    return this as unknown as LocalRuntime;
  }
}

/** Starts under way, to be settled by the test. */
export class FakeStarts {
  readonly calls: {
    readonly identifier: string;
    readonly signal: AbortSignal;
    readonly onProgress: (step: string) => void;
    readonly outcome: PromiseWithResolvers<LocalRuntime>;
  }[] = [];

  start = (
    identifier: string,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (step: string) => void },
  ): Promise<LocalRuntime> => {
    const outcome = Promise.withResolvers<LocalRuntime>();
    signal.addEventListener('abort', () => outcome.reject(signal.reason), { once: true });
    this.calls.push({ identifier, signal, onProgress, outcome });
    return outcome.promise;
  };

  /** The newest start succeeds. */
  succeed(process = new FakeProcess()): FakeProcess {
    this.calls.at(-1)?.outcome.resolve(process.runtime);
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
