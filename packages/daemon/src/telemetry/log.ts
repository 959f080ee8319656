import type { Log } from '@plugin-daemon/plugin-host/log';
import pino, { type DestinationStream, type Level } from 'pino';
import { LineBatch } from './line-batch.ts';
import { attributesOf, cleanText, SecretFilter } from './redaction.ts';
import { RotatingFile } from './rotating-file.ts';
import { textLine } from './text-line.ts';
import { utcNow, zonedTimestamp } from './timestamp.ts';
import { visibleJson } from './visible.ts';

/** The log with its destinations, for the one who created it. */
export interface OwnedLog extends Log {
  child(fields: object): Log;
  /** Writes what is held, and closes the log file. Later lines go to stdout alone. */
  close(): void;
}

export interface LogOptions {
  readonly level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** `json`: one object a line (docs/wire/state.md#log-lines); anything else: readable text. */
  readonly format: string;
  /** Appended to besides stdout; parent directories are created 0700, the file 0600. */
  readonly file?: string | undefined;
  /** The file is put away before it grows beyond so many bytes, and so many of those are kept; default: never. */
  readonly fileMaxBytes?: number;
  readonly fileBackups?: number;
  /** Whether stdout is a terminal: lines of the text format are shorter there, and in colours. */
  readonly terminal?: boolean;
  /** IANA zone of the timestamps of the text format; JSON is always UTC. */
  readonly timeZone?: string;
  /** Which of the daemon's workers this is. */
  readonly worker?: number | undefined;
  /** Values that never leave, wherever they stand in a line. */
  readonly secrets?: readonly (string | undefined)[];
  /** Where lines go instead of stdout, each at once (tests). */
  readonly destination?: DestinationStream;
}

const levels = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<string, Level>;
const severities: Readonly<Record<string, string>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' };

/**
 * Lines are written synchronously, because the last words before a crash are the valuable ones and an asynchronous log loses them:
 * warnings and errors before the call returns, the others a few milliseconds later (see LineBatch).
 * @throws when the log file cannot be opened
 */
export function createLog(options: LogOptions): OwnedLog {
  const filter = new SecretFilter(options.secrets ?? []);
  const timestamp = zonedTimestamp(options.timeZone ?? 'UTC');
  const now = utcNow();
  const isText = options.format !== 'json';
  const file = options.file === undefined ? undefined : openFile(options.file, options);
  const console = options.destination ?? openStdout();
  const lines = new Outputs([
    {
      destination: console,
      format: isText ? (json) => textLine(json, { timestamp, forTerminal: options.terminal === true }) : undefined,
    },
    ...(file === undefined
      ? []
      : [{ destination: file, format: isText ? (json: string) => textLine(json, { timestamp }) : undefined }]),
  ]);
  const batch = options.destination === undefined ? new LineBatch(lines) : undefined;
  const logger = pino(
    {
      level: levels[options.level],
      messageKey: 'message',
      base: { service: 'dify-plugin-daemon', ...(options.worker !== undefined && { worker: options.worker }) },
      timestamp: () => `,"ts":"${now()}"`,
      formatters: {
        level: (label) => ({ severity: severities[label] ?? label.toUpperCase() }),
        log: (fields) => attributesOf(fields, filter),
      },
      hooks: {
        logMethod(args, method) {
          const cleaned = args.map((arg: unknown) => (typeof arg === 'string' ? cleanText(arg, filter) : arg));
          // The same arguments, with shorter texts.
          method.apply(this, cleaned as typeof args);
        },
        streamWrite: (line) => visibleJson(filter.clean(line)),
      },
    },
    batch ?? lines,
  );
  return Object.assign(logger, {
    close: () => {
      batch?.close();
      file?.end();
    },
  });
}

function openStdout() {
  const stdout = pino.destination({ dest: 1, sync: true });
  // Whoever read our output is gone. The daemon's work does not depend on it.
  stdout.on('error', () => {});
  return stdout;
}

const openFile = (path: string, { fileMaxBytes = 0, fileBackups = 0 }: LogOptions): RotatingFile =>
  new RotatingFile({
    path,
    maxBytes: fileMaxBytes,
    backups: fileBackups,
    // A full disk must not stop the daemon; say it once where somebody may still look.
    onError: (error) => process.stderr.write(`the log file ${path} cannot be written: ${String(error)}\n`),
  });

interface Output {
  readonly destination: DestinationStream;
  /** A line of JSON as it is written; undefined leaves it as it is. */
  readonly format: ((json: string) => string) | undefined;
}

/** Writes lines of JSON, each in the form of the destination. */
class Outputs implements DestinationStream {
  readonly #outputs: readonly Output[];

  constructor(outputs: readonly Output[]) {
    this.#outputs = outputs;
  }

  write(lines: string): void {
    for (const { destination, format } of this.#outputs)
      destination.write(format === undefined ? lines : lines.trimEnd().split('\n').map(format).join(''));
  }
}
