import type { ChildProcess } from 'node:child_process';

const LOOK_MS = 1_000;
/** After so many looks since it was asked it is told to go on, after so many it is ended. */
const NUDGED = 2;
const ENDED = 20;

export interface SilentHelperOptions {
  /** Between two looks; milliseconds. */
  readonly lookMs?: number | undefined;
  /** It does not answer, and is ended for that. */
  readonly onHung?: (() => void) | undefined;
}

/**
 * Looks at a helper while launches wait for it. It only forks: what takes long is a slow start, or a helper that somebody has stopped, or
 * one that hangs. Which of them, its answer to a question tells. One that was stopped goes on; without one that hangs its plugins are
 * better off, since nobody else can start them again.
 */
export class SilentHelper {
  readonly #child: ChildProcess;
  readonly #lookMs: number;
  readonly #onHung: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Looks since something was heard of it. */
  #silent = 0;

  /** @param onHung told once, before it is ended */
  constructor(child: ChildProcess, { lookMs = LOOK_MS, onHung = () => {} }: SilentHelperOptions) {
    this.#child = child;
    this.#lookMs = lookMs;
    this.#onHung = onHung;
  }

  heard(): void {
    this.#silent = 0;
  }

  /** Whether somebody waits for it now. */
  expected(isExpected: boolean): void {
    if (isExpected === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!isExpected) return;
    this.#silent = 0;
    this.#timer = setInterval(() => this.#look(), this.#lookMs);
    this.#timer.unref();
  }

  #look(): void {
    this.#silent++;
    if (this.#silent === 1) this.#child.stdin?.write('{"ping":true}\n');
    else if (this.#silent >= ENDED) {
      if (this.#silent === ENDED) this.#onHung();
      this.#child.kill('SIGKILL');
    } else if (this.#silent >= NUDGED) this.#child.kill('SIGCONT');
  }
}
