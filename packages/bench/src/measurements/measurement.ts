/** What a measurement is, and what it is given: a daemon, a client, a Dify, and plugins to call. */
import type { DaemonClient } from '../daemon/index.ts';
import { delay } from '../daemon/index.ts';
import type { RequestParts, Spread } from '../load/index.ts';
import { cpuSeconds, requestBytes, shortNumber, spread } from '../load/index.ts';
import { AUTHOR, benchPackage, MODEL } from '../plugin/package.ts';

/** The daemon under measurement, ours or another. */
export interface Target {
  readonly url: string;
  readonly key: string;
  pid(): number;
  /** Milliseconds from the start command to the first healthy answer. */
  start(): Promise<number>;
  stop(): Promise<void>;
  /** Starts it in another way that operators have, with the same result; absent where there is but one. */
  readonly startAs?: (way: 'bundle' | 'npm') => Promise<number>;
  /** Removes what environments share, as if none had been made; absent where nothing is known of that. */
  readonly forgetEnvironments?: () => void;
}

export interface Figure {
  /** Key of `baseline-upstream.json`. */
  readonly id: string;
  readonly value: Spread;
  /** What a reader should know beside the number. */
  readonly note?: string;
}

export interface Measurement {
  readonly name: string;
  readonly title: string;
  /** What it needs and was not given; undefined if it can be taken. */
  readonly missing?: (bench: Bench) => string | undefined;
  run(bench: Bench): Promise<Figure[]>;
}

const READY_ATTEMPTS = 200;

export class Bench {
  readonly target: Target;
  readonly client: DaemonClient;
  /** How often each figure is taken. */
  readonly runs: number;
  /** Seconds of one closed loop. */
  readonly seconds: number;
  /** A folder with folders of packages, to be used in place of examples where many are wanted. */
  readonly plugins: string | undefined;
  readonly say: (text: string) => void;
  readonly #ready = new Set<string>();

  constructor(
    target: Target,
    client: DaemonClient,
    options: { runs: number; seconds: number; plugins?: string | undefined; say: (text: string) => void },
  ) {
    this.target = target;
    this.client = client;
    this.runs = options.runs;
    this.seconds = options.seconds;
    this.plugins = options.plugins;
    this.say = options.say;
  }

  /** One run after the other, never two at once. */
  async repeat<T>(run: (index: number) => Promise<T>, count = this.runs): Promise<T[]> {
    const results: T[] = [];
    for (let index = 0; index < count; index++) results.push(await run(index));
    return results;
  }

  figure(id: string, values: readonly number[], note?: string): Figure {
    return { id, value: spread(values), ...(note ? { note } : {}) };
  }

  /** What `work` returns, and the processor time the daemon itself spent on it, in seconds: steady even on a busy machine. */
  async withCpu<T>(work: () => Promise<T>): Promise<{ result: T; cpu: number }> {
    const before = cpuSeconds(this.target.pid());
    const result = await work();
    return { result, cpu: cpuSeconds(this.target.pid()) - before };
  }

  request(parts: RequestParts): Buffer {
    return requestBytes(this.target.url, { ...parts, headers: { 'X-Api-Key': this.target.key, ...parts.headers } });
  }

  toolRequest(tool: string, parameters: object, plugin = 'speed-tool'): Buffer {
    const data = { provider: plugin, tool, tool_parameters: parameters, credentials: {} };
    return this.request(this.client.dispatchRequest('tool/invoke', `${AUTHOR}/${plugin}`, data));
  }

  llmRequest(parameters: object): Buffer {
    const data = {
      provider: 'speed-model',
      model: MODEL,
      model_type: 'llm',
      credentials: {},
      model_parameters: parameters,
      prompt_messages: [{ role: 'user', content: 'hi' }],
      tools: [],
      stop: [],
      stream: true,
    };
    return this.request(this.client.dispatchRequest('llm/invoke', `${AUTHOR}/speed-model`, data));
  }

  /** The first message of a tool's answer. */
  async callTool(
    tool: string,
    parameters: object = {},
    plugin = 'speed-tool',
    signal?: AbortSignal,
  ): Promise<ToolMessage | undefined> {
    const data = { provider: plugin, tool, tool_parameters: parameters, credentials: {} };
    let first: ToolMessage | undefined;
    for await (const message of this.client.invoke('tool/invoke', `${AUTHOR}/${plugin}`, data, signal))
      first ??= message as ToolMessage;
    return first;
  }

  /** Installs one of the protocol-level plugins unless it is there, and waits until it answers. */
  async ensure(category: 'tool' | 'model', name = `speed-${category}`): Promise<void> {
    if (this.#ready.has(name)) return;
    const uploaded = await this.client.upload(benchPackage({ category, name }));
    await this.client.install(uploaded.unique_identifier);
    if (category === 'tool') await this.untilAnswer(name);
    this.#ready.add(name);
  }

  async untilAnswer(plugin: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.callTool('echo', { text: 'x' }, plugin);
        return;
      } catch (error) {
        if (attempt >= READY_ATTEMPTS) throw error;
        await delay(50);
      }
    }
  }
}

/** `daemon CPU 210 µs each`, of the median run. */
export function cpuNote(secondsEach: readonly number[]): string {
  return `daemon CPU ${shortNumber(spread(secondsEach).median * 1e6)} µs each`;
}

export interface ToolMessage {
  readonly type: string;
  readonly message: { readonly text?: string; readonly json_object?: Readonly<Record<string, unknown>> };
}
