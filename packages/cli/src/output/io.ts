/**
 * The two streams of a command: results on stdout, everything said to a person on stderr. Owns quiet, verbose, colour
 * and the one line of progress on a terminal, which gives way to every other text; writes nothing on stdout by itself.
 */
import pc from 'picocolors';
import { type Colors, formatLogLine, formatTerminalLine, type Level, type LogFields } from './log-line.ts';

export type { Colors } from './log-line.ts';

export interface IoOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  color: boolean;
  /** False forbids every question, also on a terminal (`--no-input`). */
  input: boolean;
}

export class Io {
  readonly options: IoOptions;
  readonly colors: Colors;
  readonly #stdout: NodeJS.WritableStream & { isTTY?: boolean };
  readonly #stderr: NodeJS.WritableStream & { isTTY?: boolean };
  readonly stdin: NodeJS.ReadStream;
  #progressShown = false;

  constructor(
    options: IoOptions,
    streams: {
      stdin: NodeJS.ReadStream;
      stdout: NodeJS.WritableStream & { isTTY?: boolean };
      stderr: NodeJS.WritableStream & { isTTY?: boolean };
    } = process,
  ) {
    this.options = options;
    this.stdin = streams.stdin;
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.colors = pc.createColors(options.color);
  }

  /** True when questions may be asked: a terminal on both sides and nobody forbade it. */
  get interactive(): boolean {
    return this.options.input && !this.options.json && this.stdin.isTTY === true && this.#stdout.isTTY === true;
  }

  get stderrIsTerminal(): boolean {
    return this.#stderr.isTTY === true;
  }

  info(message: string, fields: LogFields = {}): void {
    if (!this.options.quiet) this.#log('INFO', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#log('WARN', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#log('ERROR', message, fields);
  }

  /** Shown only with `--verbose`. */
  debug(message: string, fields: LogFields = {}): void {
    if (this.options.verbose) this.#log('INFO', message, fields);
  }

  /** A line for the person, without time stamp (hints, remedies, questions' context). */
  note(text: string): void {
    if (!this.options.quiet) this.rawStderr(`${text}\n`);
  }

  /** What to do about a problem: one form everywhere, below the text of the problem. */
  remedy(text: string): void {
    const [first = '', ...more] = text.split('\n');
    this.rawStderr(`${remedyLine(first, this.colors)}\n${more.map((line) => `    ${line}\n`).join('')}`);
  }

  rawStderr(text: string): void {
    this.clearProgress();
    this.#stderr.write(text);
  }

  /** Shows a line of progress in place of the one before. Only for `startProgress`, which knows when. */
  showProgress(text: string): void {
    this.#stderr.write(`\r\u001b[K${text}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (this.#progressShown) this.#stderr.write('\r\u001b[K');
    this.#progressShown = false;
  }

  /** Writes to stdout and resolves when the reader took it. */
  print(text: string): Promise<void> {
    this.clearProgress();
    return new Promise((resolve, reject) => {
      this.#stdout.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  #log(level: Level, message: string, fields: LogFields): void {
    const line = this.stderrIsTerminal
      ? formatTerminalLine(level, message, fields, this.colors)
      : formatLogLine(new Date(), level, message, fields);
    this.rawStderr(`${line}\n`);
  }
}

/** The line of a remedy, as findings and errors show it. */
export const remedyLine = (text: string, colors: Colors): string => `  ${colors.cyan('→')} ${text}`;
