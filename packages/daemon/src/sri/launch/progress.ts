/** What a daemon is told while a function is launched (docs/sri.md#the-interface). */
export interface LaunchEvent {
  readonly Stage: 'healthz' | 'start' | 'build' | 'run' | 'end';
  readonly State: 'running' | 'success' | 'failed';
  readonly Obj: string;
  readonly Message: string;
}

export type Stage = LaunchEvent['Stage'];

const MAX_MESSAGE = 16 * 1024;

export const launchEvent = (Stage: Stage, State: LaunchEvent['State'], Message = ''): LaunchEvent => ({
  Stage,
  State,
  Obj: '',
  Message: Message.length > MAX_MESSAGE ? `${Message.slice(0, MAX_MESSAGE)}…` : Message,
});

/** Of a stage that runs on and on, such as a build with its steps, only the newest event is kept for those who join later. */
export class Progress {
  readonly #events: LaunchEvent[] = [];
  readonly #listeners = new Set<(event: LaunchEvent) => void>();
  readonly #ended = Promise.withResolvers<void>();

  /** Resolves after the last event. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  tell(event: LaunchEvent): void {
    const last = this.#events.at(-1);
    if (last !== undefined && last.Stage === event.Stage && last.State === 'running' && event.State === 'running')
      this.#events.pop();
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  end(): void {
    this.#ended.resolve();
  }

  /** Calls back with what was told so far and with what follows. @returns stops it */
  follow(listener: (event: LaunchEvent) => void): () => void {
    for (const event of this.#events) listener(event);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
