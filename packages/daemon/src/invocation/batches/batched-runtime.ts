import { type DaemonError, type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import type {
  Line,
  PluginRuntime,
  RuntimeSession,
  SessionContext,
  SessionSink,
} from '@plugin-daemon/plugin-host/runtimes';
import { toLatin1 } from '@plugin-daemon/plugin-host/text';
import type { ActionSpec } from '../actions.ts';
import { type BatchAnswer, type Merge, type Mismatch, mergeEmbeddings, mergeTokens } from './merge.ts';
import { type Batch, planBatches } from './plan.ts';

/** By action. Whatever is not here is refused when it is too large. */
const merges: ReadonlyMap<string, Merge> = new Map([
  ['invoke_text_embedding', mergeEmbeddings],
  ['get_text_embedding_num_tokens', mergeTokens],
]);

export const isBatchable = (action: ActionSpec): boolean => merges.has(action.action);

/** A runtime with a limit for requests, on which requests of one action may have any length. Made for one session. */
export class BatchedRuntime implements PluginRuntime {
  readonly type: PluginRuntime['type'];
  readonly pluginId: string;
  readonly identifier: string;
  readonly #runtime: PluginRuntime;
  readonly #action: ActionSpec;

  constructor(runtime: PluginRuntime, action: ActionSpec) {
    this.type = runtime.type;
    this.pluginId = runtime.pluginId;
    this.identifier = runtime.identifier;
    this.#runtime = runtime;
    this.#action = action;
  }

  open(sessionId: string, sink: SessionSink, context: SessionContext): RuntimeSession {
    return new BatchedSession(this.#runtime, this.#action, sessionId, sink, context);
  }
}

class BatchedSession implements RuntimeSession {
  readonly #runtime: PluginRuntime;
  readonly #action: ActionSpec;
  readonly #sessionId: string;
  readonly #sink: SessionSink;
  readonly #context: SessionContext;
  #batches: readonly Batch[] = [];
  readonly #answers: BatchAnswer[] = [];
  #current: RuntimeSession | undefined;
  #over = false;

  constructor(
    runtime: PluginRuntime,
    action: ActionSpec,
    sessionId: string,
    sink: SessionSink,
    context: SessionContext,
  ) {
    this.#runtime = runtime;
    this.#action = action;
    this.#sessionId = sessionId;
    this.#sink = sink;
    this.#context = context;
  }

  /** That of the batch under way: each request tells the function its own. */
  get callBackSecret(): string {
    return this.#current?.callBackSecret ?? '';
  }

  send(line: Line): Promise<void> | undefined {
    const text = typeof line === 'string' ? line : line.map(String).join('');
    const batches = planBatches(text, this.#action.action, this.#runtime.maxRequestBytes ?? Number.POSITIVE_INFINITY);
    if (batches === undefined || batches.length < 2) {
      this.#current = this.#runtime.open(this.#sessionId, this.#sink, this.#context);
      return this.#current.send(line);
    }
    this.#batches = batches;
    return this.#next();
  }

  close(): void {
    this.#over = true;
    this.#current?.close();
  }

  cancel(): void {
    this.#over = true;
    this.#current?.cancel();
  }

  #next(): Promise<void> | undefined {
    const batch = this.#batches[this.#answers.length];
    if (batch === undefined) {
      this.#finish();
      return undefined;
    }
    const heard: string[] = [];
    const read = this.#action.answer.reader();
    this.#current = this.#runtime.open(
      this.#sessionId,
      {
        chunk: (json) => {
          const checked = read(json);
          if (checked === undefined) return false;
          if (typeof checked !== 'string') this.#fail(checked);
          else if (checked !== '') heard.push(checked);
          return true;
        },
        flush: () => undefined,
        invoke: (data) => this.#sink.invoke(data),
        end: () => this.#answered(batch, heard),
        fail: (error) => this.#fail(error),
      },
      this.#context,
    );
    return this.#current.send(batch.line());
  }

  #answered(batch: Batch, heard: readonly string[]): void {
    if (this.#over) return;
    const [json] = heard;
    if (json === undefined || heard.length > 1) {
      const { countReason } = this.#merge;
      const mismatch = { batch: this.#answers.length, expected: batch.texts, actual: 0, reason: countReason };
      return this.#fail(this.#mismatch(mismatch, heard.length));
    }
    this.#answers.push({ json, texts: batch.texts });
    // Whether it fits is found out before the next is asked for.
    const merged = this.#merge.merge(this.#answers);
    if ('mismatch' in merged) return this.#fail(this.#mismatch(merged.mismatch, 1));
    try {
      void this.#next();
    } catch (error) {
      // What its size allowed, and no room for it.
      this.#fail(sessionError('PluginDaemonInnerError', textOf(error), null));
    }
  }

  #finish(): void {
    const merged = this.#merge.merge(this.#answers);
    if ('mismatch' in merged) return this.#fail(this.#mismatch(merged.mismatch, 1));
    this.#over = true;
    this.#sink.chunk(toLatin1(JSON.stringify(merged.value)));
    this.#sink.flush();
    this.#sink.end();
  }

  #fail(error: SessionError): void {
    if (this.#over) return;
    this.#over = true;
    this.#current?.close();
    this.#sink.fail(error);
  }

  get #merge(): Merge {
    return merges.get(this.#action.action) ?? mergeTokens;
  }

  /** Upstream's words, as JSON: Dify parses what stands in a plugin's error. */
  #mismatch({ batch, expected, actual, reason }: Mismatch, responses: number): SessionError {
    const text = `ServerlessBatchResultMismatch: action=${this.#action.action} batch_index=${batch} expected_items=${expected} actual_items=${actual} response_count=${responses} reason=${reason}`;
    return sessionError('PluginInvokeError', text, {});
  }
}

const textOf = (error: unknown): string =>
  error instanceof Error ? ((error as Partial<DaemonError>).wireMessage ?? error.message) : String(error);
