import { isObject } from '@plugin-daemon/values';
import type { Cache } from '../cache/index.ts';
import type { Log } from '../telemetry/index.ts';
import { type DaemonEvents, type EventName, eventReaders, isEventName } from './daemon-events.ts';

export interface EventBusOptions {
  readonly cache: Pick<Cache, 'publish' | 'subscribe'>;
  /** Events of this node are not told to itself: it acts before it tells others. */
  readonly nodeId: string;
  readonly log: Log;
}

/** `deaf`: events may be missed from now on; `hearing`: they come again, and some were missed. */
type GapListener = (state: 'deaf' | 'hearing') => void;

const CHANNEL = 'v2:events';
/** An event names a row; nothing near this length is one. */
const LONGEST_EVENT = 16 * 1024;
/** Between attempts to tell others that they missed something. */
const RETRY_MS = 1000;

export class EventBus {
  readonly #options: EventBusOptions;
  readonly #listeners = new Map<EventName, Set<(data: unknown) => void>>();
  readonly #gapListeners = new Set<GapListener>();
  readonly #ownListeners = new Set<(data: DaemonEvents['row-changed']) => void>();
  #untold = false;
  #end: (() => Promise<void>) | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: EventBusOptions) {
    this.#options = options;
  }

  /** Resolves when events of others arrive, or when it is known that they do not for now. */
  static async open(options: EventBusOptions): Promise<EventBus> {
    const bus = new EventBus(options);
    bus.#end = await options.cache.subscribe(CHANNEL, {
      message: (text) => bus.#receive(text),
      gap: (state) => bus.#gap(state),
    });
    return bus;
  }

  /** Tells the other nodes. Waits for nothing and never throws: when it fails, the others are told later that they missed something. */
  publish<Name extends EventName>(name: Name, data: DaemonEvents[Name]): void {
    if (name === 'row-changed') {
      const changed = eventReaders['row-changed'](data);
      if (changed !== undefined) for (const listener of this.#ownListeners) listener(changed);
    }
    const message = JSON.stringify({ node: this.#options.nodeId, event: name, data });
    this.#options.cache.publish(CHANNEL, message).catch((error: unknown) => this.#lost(error));
  }

  /** @returns ends the listening */
  on<Name extends EventName>(name: Name, listener: (data: DaemonEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const own = (data: unknown) => {
      const read = eventReaders[name](data);
      if (read !== undefined) listener(read);
    };
    listeners.add(own);
    return () => listeners.delete(own);
  }

  /** Told of every row that this node says it has changed. */
  onOwnChange(listener: (data: DaemonEvents['row-changed']) => void): void {
    this.#ownListeners.add(listener);
  }

  /** Somebody writes rows and tells nobody, the existing daemon's nodes: while they are there, events are missed. */
  untold(present: boolean): void {
    if (present === this.#untold) return;
    this.#untold = present;
    const text = present
      ? 'nodes of the existing daemon write too and tell nobody: rows are kept in memory for moments only'
      : 'no node of the existing daemon is left: rows are kept in memory again';
    this.#options.log.info({}, text);
    for (const listener of this.#gapListeners) listener(present ? 'deaf' : 'hearing');
  }

  /** Told when events were or may be missed, also those that another node could not send. */
  onGap(listener: GapListener): () => void {
    this.#gapListeners.add(listener);
    return () => this.#gapListeners.delete(listener);
  }

  /** This node has missed some, for a reason of its own: whoever keeps anything because of them forgets it now. */
  missed(): void {
    this.#gap('hearing');
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#end?.();
  }

  #receive(text: string): void {
    const message = text.length > LONGEST_EVENT ? undefined : parsed(text);
    if (!isObject(message) || message['node'] === this.#options.nodeId) return;
    const name = message['event'];
    // Of a newer version, or none of ours; its nodes know what to do about it.
    if (!isEventName(name)) return;
    if (name === 'events-lost') this.#gap('hearing');
    for (const listener of this.#listeners.get(name) ?? []) listener(message['data']);
  }

  #gap(state: 'deaf' | 'hearing'): void {
    const log = state === 'deaf' ? 'warn' : 'info';
    this.#options.log[log]({ state }, 'events of other nodes were missed: what is kept in memory is read anew');
    for (const listener of this.#gapListeners) listener(this.#untold ? 'deaf' : state);
  }

  #lost(error: unknown): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#options.log.warn(
      { error },
      'an event could not be told to the other nodes; they are told so once it is possible',
    );
    const again = () => {
      this.#retry = setTimeout(() => {
        this.#options.cache
          .publish(CHANNEL, JSON.stringify({ node: this.#options.nodeId, event: 'events-lost', data: {} }))
          .then(() => {
            this.#retry = undefined;
          }, again);
      }, RETRY_MS);
      this.#retry.unref();
    };
    again();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
