import type { Log } from '../../log/index.ts';

const MAX_LINES_PER_SECOND = 50;

type Level = 'debug' | 'info' | 'warn' | 'error';

/** A map: a plugin may call its level `constructor`. */
const levels: ReadonlyMap<string, Level> = new Map([
  ['debug', 'debug'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
  ['critical', 'error'],
]);
const LONGEST_LEVEL = 16;

/** A level as logging libraries write it, near the beginning: `INFO:name:…`, `2026-… | INFO | …`, `[info     ] …`. */
const NAMED =
  /(?:^|[\s|:\]-])(DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)(?=[\s|:\]-]|$)|\[(debug|info|warn|warning|error|critical|fatal) *\]/i;
const LOOKED_AT = 100;

function levelNamedIn(line: string): 'debug' | 'info' | 'warn' | 'error' | undefined {
  const head = line.slice(0, LOOKED_AT);
  const found = NAMED.exec(head);
  const name = found?.[2] ?? found?.[1];
  if (name === undefined || (found?.[2] === undefined && name !== name.toUpperCase())) return undefined;
  return levels.get(name.toLowerCase()) ?? 'info';
}

const levelOfStderr = (line: string): Level => levelNamedIn(line) ?? 'warn';

/** A plugin's own words in the daemon's log. A plugin that floods it is cut off for the rest of the second, and that is said. */
export class PluginOutput {
  readonly #log: Log;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #most: number;
  #second = 0;
  #count = 0;

  constructor(log: Log, fields: Readonly<Record<string, unknown>>, linesPerSecond = MAX_LINES_PER_SECOND) {
    this.#log = log;
    this.#most = linesPerSecond;
    this.#fields = fields;
  }

  /** An event of the plugin's logging handler. */
  event(level: string, message: string): void {
    this.#write(levels.get(level.slice(0, LONGEST_LEVEL).toLowerCase()) ?? 'info', message, 'log');
  }

  /** Where logging libraries write by default: a line that names its level keeps it. */
  stderr(line: string): void {
    this.#write(levelOfStderr, line, 'stderr');
  }

  /** What is no event: print() output. The manifest that the SDK prints first is not worth a line. */
  stdout(text: string): void {
    this.#write(text.startsWith('{') ? 'debug' : 'info', text, 'stdout');
  }

  error(data: string): void {
    this.#write('debug', data, 'error event');
  }

  /** Our own failure with what the plugin said: always worth a line, until there are too many. */
  fault(error: unknown): void {
    if (this.#isFlood()) return;
    this.#log.error({ ...this.#fields, error }, 'what a plugin wrote could not be dealt with');
  }

  /** @param level looked for only in a line that is written, for that takes longer than to drop it */
  #write(level: Level | ((text: string) => Level), text: string, source: string): void {
    if (this.#isFlood()) return;
    this.#log[typeof level === 'string' ? level : level(text)]({ ...this.#fields, source }, text);
  }

  /** Counts a line. */
  #isFlood(): boolean {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      const dropped = this.#count - this.#most;
      if (dropped > 0) this.#log.warn({ ...this.#fields, dropped_lines: dropped }, 'plugin wrote more than is logged');
      this.#second = second;
      this.#count = 0;
    }
    return ++this.#count > this.#most;
  }
}
