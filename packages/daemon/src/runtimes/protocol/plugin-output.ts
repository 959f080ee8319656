import type { Log } from '../../telemetry/index.ts';

const MAX_LINES_PER_SECOND = 50;

const levels: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error'>> = {
  debug: 'debug',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
  critical: 'error',
};

/** A plugin's own words in the daemon's log. A plugin that floods it is cut off for the rest of the second, and that is said. */
export class PluginOutput {
  readonly #log: Log;
  readonly #fields: Readonly<Record<string, unknown>>;
  #second = 0;
  #count = 0;

  constructor(log: Log, fields: Readonly<Record<string, unknown>>) {
    this.#log = log;
    this.#fields = fields;
  }

  /** An event of the plugin's logging handler. */
  event(level: string, message: string): void {
    this.#write(levels[level.toLowerCase()] ?? 'info', message, 'log');
  }

  stderr(line: string): void {
    this.#write('warn', line, 'stderr');
  }

  /** What is no event: print() output. The manifest that the SDK prints first is not worth a line. */
  stdout(text: string): void {
    this.#write(text.startsWith('{') ? 'debug' : 'info', text, 'stdout');
  }

  error(data: string): void {
    this.#write('debug', data, 'error event');
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', text: string, source: string): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      const dropped = this.#count - MAX_LINES_PER_SECOND;
      if (dropped > 0) this.#log.warn({ ...this.#fields, dropped_lines: dropped }, 'plugin wrote more than is logged');
      this.#second = second;
      this.#count = 0;
    }
    if (++this.#count > MAX_LINES_PER_SECOND) return;
    this.#log[level]({ ...this.#fields, source }, text);
  }
}
