import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject, messageOf } from '@plugin-daemon/values';

/** What carries messages; structured clones, in order. */
export interface Wire {
  /** May be called after it was closed; then nothing happens. */
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when nothing can arrive any more. */
  onClosed(listener: () => void): void;
}

type Method = (...args: never[]) => unknown;
type Arguments<Of> = Of extends (...args: infer Args) => unknown ? Args : never;
type Result<Of> = Of extends (...args: never[]) => infer R ? Awaited<R> : never;

/** Asks the other end what a contract names. */
export interface Caller<Contract> {
  /** @throws DaemonError `unavailable` when the other end is gone; an Error with the text of what was thrown there */
  call<Name extends keyof Contract & string>(
    name: Name,
    ...args: Arguments<Contract[Name]>
  ): Promise<Result<Contract[Name]>>;
  /** Waits for nothing and learns nothing. */
  tell<Name extends keyof Contract & string>(name: Name, ...args: Arguments<Contract[Name]>): void;
}

/** What this end does when it is asked. */
export type Handlers<Contract> = {
  readonly [Name in keyof Contract]: (
    ...args: Arguments<Contract[Name]>
  ) => Result<Contract[Name]> | Promise<Result<Contract[Name]>>;
};

/** One end of a channel. What is asked of an end that is not served yet waits until it is. */
export class Channel {
  readonly #wire: Wire;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #handlers = new Map<string, Method>();
  readonly #early = new Map<string, { readonly id: number; readonly args: readonly unknown[] }[]>();
  readonly #onClosed: (() => void)[] = [];
  #next = 1;
  #closed = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.onMessage((message) => this.#receive(message));
    wire.onClosed(() => this.#close());
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The other end, as a contract says. */
  caller<Contract>(): Caller<Contract> {
    return {
      // The other end serves the same contract: it is the same program.
      call: (name, ...args) => this.#ask(name, args) as Promise<never>,
      tell: (name, ...args) => this.#wire.send({ is: 'call', id: 0, name, args }),
    };
  }

  serve<Contract>(handlers: Handlers<Contract>): void {
    for (const [name, handler] of Object.entries<Method>(handlers)) {
      this.#handlers.set(name, handler);
      for (const { id, args } of this.#early.get(name) ?? []) void this.#answer(id, handler, args);
      this.#early.delete(name);
    }
  }

  /** Called at once when it is closed already. */
  onClosed(listener: () => void): void {
    if (this.#closed) listener();
    else this.#onClosed.push(listener);
  }

  #ask(name: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(gone());
    const id = this.#next++;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    this.#wire.send({ is: 'call', id, name, args });
    return asked.promise;
  }

  #receive(message: unknown): void {
    if (!isObject(message)) return;
    const { id } = message;
    if (typeof id !== 'number') return;
    if (message['is'] === 'answer') {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (message['failed'] === undefined) asked?.resolve(message['value']);
      else asked?.reject(new Error(String(message['failed'])));
      return;
    }
    const { name, args } = message;
    if (message['is'] !== 'call' || typeof name !== 'string' || !Array.isArray(args)) return;
    const handler = this.#handlers.get(name);
    if (handler !== undefined) return void this.#answer(id, handler, args);
    const early = this.#early.get(name) ?? [];
    this.#early.set(name, [...early, { id, args }]);
  }

  /** Never rejects. @param id 0: nobody waits for an answer */
  async #answer(id: number, handler: Method, args: readonly unknown[]): Promise<void> {
    try {
      // They were the arguments of a call by the same contract.
      const value: unknown = await handler(...(args as never[]));
      if (id > 0) this.#wire.send({ is: 'answer', id, value });
    } catch (error) {
      if (id > 0) this.#wire.send({ is: 'answer', id, failed: messageOf(error) });
    }
  }

  #close(): void {
    this.#closed = true;
    for (const { reject } of this.#asked.values()) reject(gone());
    this.#asked.clear();
    this.#early.clear();
    for (const listener of this.#onClosed.splice(0)) listener();
  }
}

const gone = (): DaemonError => new DaemonError('unavailable', 'another process of this daemon is gone');
