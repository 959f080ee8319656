/**
 * The two streams of a command: results on stdout, everything said to a person on stderr. Owns quiet, verbose and
 * colour; writes nothing on stdout by itself.
 */
import pc from 'picocolors';
import { formatLogLine, type LogFields } from './log-line.ts';

export interface IoOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  color: boolean;
  /** False forbids every question, also on a terminal (`--no-input`). */
  input: boolean;
}

type Level = 'INFO' | 'WARN' | 'ERROR';

export interface Colors {
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

export class Io {
  readonly options: IoOptions;
  readonly colors: Colors;
  readonly #stdout: NodeJS.WritableStream & { isTTY?: boolean };
  readonly #stderr: NodeJS.WritableStream & { isTTY?: boolean };
  readonly stdin: NodeJS.ReadStream;

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
    if (!this.options.quiet) this.#stderr.write(`${text}\n`);
  }

  rawStderr(text: string): void {
    this.#stderr.write(text);
  }

  /** Writes to stdout and resolves when the reader took it. */
  print(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stdout.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  #log(level: Level, message: string, fields: LogFields): void {
    this.#stderr.write(`${formatLogLine(new Date(), level, message, fields)}\n`);
  }
}
