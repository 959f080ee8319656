import type { AuditEvents, NewAuditEvent } from '../database/index.ts';
import { cleanText, type Log, RotatingFile, visible } from '../telemetry/index.ts';

/** One thing that somebody did, or tried to do. */
export type AuditRecord = NewAuditEvent;

export interface AuditLogOptions {
  readonly file: string;
  readonly events: AuditEvents;
  /** How long the database keeps events; 0: for ever. */
  readonly retentionDays: number;
  readonly log: Log;
}

const DAY_MS = 24 * 60 * 60_000;
const FILE_BYTES = 20_000_000;
const FILE_BACKUPS = 20;

/**
 * Writes events down: in the file before the call returns, in the database soon after. What cannot be written is told in the log and
 * holds nobody up: the change itself has happened.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #file: RotatingFile;
  #writing: Promise<void> = Promise.resolve();

  /** @throws when the file cannot be opened */
  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { file, log } = options;
    this.#file = new RotatingFile({
      path: file,
      maxBytes: FILE_BYTES,
      backups: FILE_BACKUPS,
      onError: (error) => log.error({ error, file }, 'the audit log cannot be written'),
    });
  }

  record(event: AuditRecord): void {
    const cleaned = Object.fromEntries(
      Object.entries(event).map(([name, value]) => [name, visible(cleanText(value))]),
      // The same names with texts.
    ) as unknown as AuditRecord;
    this.#file.write(`${JSON.stringify({ ts: new Date().toISOString(), ...cleaned })}\n`);
    this.#then(() => this.#options.events.append(cleaned), 'an audit event could not be written into the database');
  }

  /** Removes the events of the database that are older than they are kept: for all nodes, so one of them does it. */
  async prune(): Promise<void> {
    const { retentionDays, events } = this.#options;
    if (retentionDays > 0) await events.prune(new Date(Date.now() - retentionDays * DAY_MS));
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
    this.#file.end();
  }

  /** One after the other: events stand in the database in the order they happened. */
  #then(write: () => Promise<unknown>, failure: string): void {
    this.#writing = this.#writing.then(write).then(
      () => undefined,
      (error: unknown) => this.#options.log.error({ error }, failure),
    );
  }
}
