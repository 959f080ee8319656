import type { Log } from '@plugin-daemon/plugin-host/log';
import { messageOf } from '@plugin-daemon/values';
import type { FunctionInstance, InstanceAddress } from '../backend.ts';
import { withLastWords } from '../output-log.ts';
import type { PodState, Pods } from './pods.ts';

export interface PodInstanceOptions {
  /** Of its job. */
  readonly name: string;
  readonly port: number;
  readonly pods: Pods;
  /** Deletes the job, with its pod. */
  readonly remove: () => Promise<void>;
  readonly graceMs: number;
  readonly log: Log;
}

/** How much longer than its grace a pod may take to go before it counts as gone: a node that is lost tells nothing. */
const LOST_MS = 30_000;

/** A job of a function and its only pod, as the cluster tells of it. */
export class PodInstance implements FunctionInstance {
  readonly id: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly ended: Promise<{ readonly text: string }>;
  readonly #options: PodInstanceOptions;
  readonly #ended = Promise.withResolvers<{ readonly text: string }>();
  readonly #located = Promise.withResolvers<InstanceAddress>();
  readonly #unfollow: () => void;
  #address: InstanceAddress | undefined;
  #seen: PodState | undefined;
  #stopping: Promise<void> | undefined;
  #endReason: string | undefined;

  constructor(options: PodInstanceOptions) {
    this.#options = options;
    this.id = options.name;
    this.facts = { job: options.name };
    this.ended = this.#ended.promise;
    this.#unfollow = options.pods.follow(options.name, (state) => this.#changed(state));
  }

  get address(): InstanceAddress {
    if (this.#address === undefined) throw new Error('a pod has no address before it was located');
    return this.#address;
  }

  /** Why it does not come up, as far as the cluster says. */
  get trouble(): string {
    return this.#seen?.stuck ?? '';
  }

  /** Where it is, as soon as the cluster has given it an address. @throws the signal's reason */
  async located(signal: AbortSignal): Promise<InstanceAddress> {
    const given = Promise.withResolvers<never>();
    const giveUp = () => given.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await Promise.race([this.#located.promise, given.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  stop(reason: string): Promise<void> {
    this.#endReason ??= reason;
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { remove, graceMs, log } = this.#options;
    try {
      await remove();
    } catch (error) {
      log.warn({ ...this.facts, error: messageOf(error) }, 'the job of a function could not be deleted');
    }
    if (this.#seen === undefined) return this.#end('the job of the function was deleted before it had a pod', '');
    const lost = setTimeout(
      () => this.#end('the pod of the function was deleted, and nothing was heard of its end', ''),
      graceMs + LOST_MS,
    );
    await this.ended;
    clearTimeout(lost);
  }

  #changed(state: PodState | undefined): void {
    if (state === undefined) return this.#end('the pod of the function is gone', '');
    this.#seen = state;
    if (state.address !== undefined && this.#address === undefined) {
      const host = state.address.includes(':') ? `[${state.address}]` : state.address;
      this.#address = { origin: `http://${host}:${this.#options.port}` };
      this.#located.resolve(this.#address);
    }
    if (state.ended !== undefined) this.#end(state.ended.text, state.ended.lastWords);
    else if (state.stuck !== undefined) this.#end(`the pod of the function cannot start (${state.stuck})`, '');
  }

  #end(text: string, lastWords: string): void {
    this.#unfollow();
    const because = this.#endReason === undefined ? '' : `, because ${this.#endReason}`;
    const ended = { text: withLastWords(`${text}${because}`, lastWords) };
    if (this.#stopping !== undefined) return this.#ended.resolve(ended);
    // What ended by itself leaves its job.
    this.#stopping = this.#options.remove().catch((error: unknown) => {
      this.#options.log.warn({ ...this.facts, error: messageOf(error) }, 'the job of a function could not be deleted');
    });
    void this.#stopping.then(() => this.#ended.resolve(ended));
  }
}
