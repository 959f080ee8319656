import type { ServerResponse } from 'node:http';
import type { ByteBudget, Room } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, sessionErrorJson } from '@plugin-daemon/plugin-host/errors';
import { escapeLineEnds } from '@plugin-daemon/plugin-host/text';
import { messageOf } from '@plugin-daemon/values';
import type { SessionFailure, SessionOutput } from '../../invocation/index.ts';
import { errorBody } from '../envelope.ts';
import { SpillFile } from './spill-file.ts';

export interface SseOptions {
  /** Most bytes that may wait for a slow reader; SESSION_BUFFER_BYTES. */
  readonly maxWaitingBytes: number;
  /** What waits for all readers in memory; what it has no room for waits on the disk. */
  readonly memory: ByteBudget;
  /** Where waiting bytes go when there are many. */
  readonly spillDirectory: string;
  /** The reader fell too far behind or the disk failed: the session should end. */
  readonly onOverflow: (error: DaemonError) => void;
}

const HEAD = 'data: {"code":0,"message":"success","data":';
const TAIL = '}\n\n';
/** Up to here bytes wait in memory, then on disk. */
const MEMORY_BYTES = 4 * 1024 * 1024;
/** Less than this waits for every reader now and then, and is not counted. */
const UNCOUNTED_BYTES = 64 * 1024;
const PIECE_BYTES = 256 * 1024;

/**
 * A session's answer as server-sent events (docs/wire/http-api.md#server-sent-events). Nothing, not even headers, is written before the
 * first event; chunks that arrived together leave together. A reader that does not keep up makes bytes wait here, never the plugin.
 */
export class SseResponse implements SessionOutput {
  readonly #response: ServerResponse;
  readonly #options: SseOptions;
  /** Events of this turn, bytes as latin1. */
  #collected = '';
  #spill: SpillFile | undefined;
  readonly #room: Room;
  #ended = false;
  /** What is said after everything that waits: it needs no room on the disk. */
  #last = '';
  #overflowed = false;

  constructor(response: ServerResponse, options: SseOptions) {
    this.#response = response;
    this.#options = options;
    this.#room = options.memory.room();
    response.on('drain', () => {
      this.#room.release();
      this.#refill();
    });
    response.once('close', () => this.#release());
  }

  chunk(json: string): void {
    this.#collected += HEAD + json + TAIL;
    // Small messages can stand for large answers: what came in one read may be gigabytes here.
    if (this.#collected.length > MEMORY_BYTES) this.flush();
  }

  flush(): void {
    const text = this.#collected;
    this.#collected = '';
    if (text === '' || this.#response.destroyed) return;
    this.#start();
    this.#write(text);
  }

  end(): void {
    this.#ended = true;
    this.#last = this.#collected;
    this.#collected = '';
    // A whole answer at once: with its length known it leaves in one write.
    this.#start(this.#last.length);
    if (!this.#waits()) this.#finish();
  }

  fail(failure: SessionFailure): void {
    this.#collected += Buffer.from(`data: ${escapeLineEnds(failureBody(failure))}\n\n`).toString('latin1');
    this.end();
  }

  #start(wholeLength?: number): void {
    if (this.#response.headersSent) return;
    const length = wholeLength === undefined ? {} : { 'Content-Length': wholeLength };
    this.#response.writeHead(200, { 'Content-Type': 'text/event-stream', ...length });
  }

  #waits(): boolean {
    return this.#spill !== undefined && this.#spill.waiting > 0;
  }

  #write(text: string): void {
    if (!this.#waits() && this.#mayWaitInMemory(text.length)) {
      this.#response.write(text, 'latin1');
      return;
    }
    if (this.#overflowed) return;
    if ((this.#spill?.waiting ?? 0) + text.length > this.#options.maxWaitingBytes) return this.#overflow();
    try {
      this.#spill ??= new SpillFile(this.#options.spillDirectory, `${process.pid}-${spillCount++}`);
      this.#spill.append(Buffer.from(text, 'latin1'));
    } catch (cause) {
      this.#lost('what waits for it cannot be stored', cause);
    }
  }

  #mayWaitInMemory(bytes: number): boolean {
    const waiting = this.#response.writableLength;
    if (waiting < UNCOUNTED_BYTES) return true;
    return waiting < MEMORY_BYTES && this.#room.grow(bytes) === undefined;
  }

  #overflow(): void {
    this.#overflowed = true;
    const limit = this.#options.maxWaitingBytes;
    this.#options.onOverflow(
      new DaemonError('internal', `the client reads too slowly: more than ${limit} bytes of this answer wait for it`, {
        remedy: 'Read faster, or raise SESSION_BUFFER_BYTES',
        args: { limit_bytes: limit, setting: 'SESSION_BUFFER_BYTES' },
      }),
    );
  }

  #lost(what: string, cause: unknown): void {
    this.#overflowed = true;
    const reason = messageOf(cause);
    const text = `the client reads slower than the plugin writes, and ${what}: ${reason}`;
    this.#options.onOverflow(new DaemonError('internal', text, { cause }));
  }

  /** The reader has room again. */
  #refill(): void {
    const spill = this.#spill;
    if (spill === undefined) return;
    try {
      while (spill.waiting > 0) {
        if (!this.#response.write(spill.take(PIECE_BYTES))) return;
      }
    } catch (cause) {
      // There is a gap now: whatever followed would be taken for the whole.
      this.#lost('what waited for it cannot be read back', cause);
      this.#response.destroy();
      return;
    }
    if (this.#ended) this.#finish();
  }

  #finish(): void {
    this.#response.end(this.#last, 'latin1');
    this.#last = '';
  }

  #release(): void {
    this.#room.release();
    this.#spill?.close();
    this.#spill = undefined;
  }
}

let spillCount = 0;

/** The envelope of a failed session (docs/wire/http-api.md#plugin-errors). */
export function failureBody(failure: SessionFailure): string {
  if (failure.from === 'daemon') return errorBody(failure.error);
  return errorBody(new DaemonError('plugin-invoke', sessionErrorJson(failure.error)));
}
