import type { PluginProcess } from '../../launcher/index.ts';

const LOOK_EVERY_MS = 500;

/** Looks at what a process and all its descendants hold, where the kernel does not keep a limit for us. */
export class MemoryWatch {
  readonly #timer: NodeJS.Timeout;

  /** @param onExceeded called once */
  constructor(process: PluginProcess, limitBytes: number, onExceeded: (bytes: number) => void) {
    let looking = false;
    this.#timer = setInterval(async () => {
      if (looking) return;
      looking = true;
      const usage = await process.usage();
      looking = false;
      if (usage === undefined || usage.rssBytes <= limitBytes) return;
      this.stop();
      onExceeded(usage.rssBytes);
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
