import type { PluginProcess } from '../../launcher/index.ts';

export interface LivenessOptions {
  /** Milliseconds of silence before a warning, and before a plugin counts as dead. */
  readonly warnAfterMs: number;
  readonly deadAfterMs: number;
  readonly lookEveryMs: number;
  /** However busy it is, a plugin that is silent this long is ended; milliseconds. */
  readonly hopelessAfterMs: number;
}

export interface LivenessEvents {
  readonly onSilent: (seconds: number, busy: boolean) => void;
  readonly onDead: (reason: string) => void;
}

/** A share of one core that counts as working. */
const BUSY_SHARE = 0.2;

/**
 * Watches a plugin's heartbeat and looks before it judges: pure computation keeps a plugin from sending heartbeats, so one that
 * uses the processor is spared until it is hopeless (research: CPU-bound plugins were killed with all their sessions).
 */
export class Liveness {
  readonly #process: PluginProcess;
  readonly #options: LivenessOptions;
  readonly #events: LivenessEvents;
  readonly #timer: NodeJS.Timeout;
  #lastActivity = Date.now();
  #lastLook: { readonly at: number; readonly cpuSeconds: number } | undefined;

  constructor(process: PluginProcess, options: LivenessOptions, events: LivenessEvents) {
    this.#process = process;
    this.#options = options;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), options.lookEveryMs);
    this.#timer.unref();
  }

  /** Any output counts. */
  touch(): void {
    this.#lastActivity = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const silentMs = Date.now() - this.#lastActivity;
    const usage = await this.#process.usage();
    const before = this.#lastLook;
    const at = Date.now();
    if (usage !== undefined) this.#lastLook = { at, cpuSeconds: usage.cpuSeconds };
    if (silentMs <= this.#options.warnAfterMs) return;
    const elapsed = before === undefined ? 0 : (at - before.at) / 1000;
    const busy =
      usage !== undefined &&
      before !== undefined &&
      elapsed > 0 &&
      (usage.cpuSeconds - before.cpuSeconds) / elapsed > BUSY_SHARE;
    const seconds = Math.round(silentMs / 1000);
    if (silentMs > this.#options.hopelessAfterMs || (silentMs > this.#options.deadAfterMs && !busy)) {
      this.stop();
      this.#events.onDead(`it has not been heard of for ${seconds} s${busy ? ', although it uses the processor' : ''}`);
    } else this.#events.onSilent(seconds, busy);
  }
}
