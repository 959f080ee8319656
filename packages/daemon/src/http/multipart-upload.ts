import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import { SpentChunks } from './spent-chunks.ts';

export interface UploadLimits {
  /** Name of the file's field. */
  readonly field: string;
  /** Bytes of the file. */
  readonly maxFileBytes: number;
  /** Milliseconds without a byte after which the sender is given up; it would hold memory that others wait for. */
  readonly idleMs?: number;
}

export interface Upload {
  /** The file, in a buffer of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the sender calls the file; '' if it does not say. */
  readonly fileName: string;
  /** The text fields that came with it. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Room for part headers and the other fields around the file. */
const ENVELOPE_BYTES = 1024 * 1024;
const MAX_FIELD_BYTES = 4096;
const MAX_FIELDS = 32;
const IDLE_MS = 60_000;

export const fileTooLarge = (): DaemonError => new DaemonError('bad-request', 'file size exceeds the maximum limit');

/**
 * How many bytes an upload will hold, from its headers.
 * @throws DaemonError when the body cannot be an upload within the limit
 */
export function expectedBytes(request: IncomingMessage, limits: UploadLimits): number {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data *(?:;|$)/i.test(type)) {
    throw new DaemonError('bad-request', "request Content-Type isn't multipart/form-data");
  }
  if (!/;\s*boundary=\S/i.test(type))
    throw new DaemonError('bad-request', 'no multipart boundary param in Content-Type');
  const length = Number(request.headers['content-length']);
  if (!Number.isSafeInteger(length)) return limits.maxFileBytes;
  if (length > limits.maxFileBytes + ENVELOPE_BYTES) throw fileTooLarge();
  return Math.min(length, limits.maxFileBytes);
}

/**
 * Reads an upload as it arrives; every limit holds while streaming, so that nothing oversized is ever kept (docs/wire/http-api.md#uploads).
 * @throws DaemonError `bad-request` with upstream's texts; the signal's reason when the client leaves
 */
export function readUpload(request: IncomingMessage, limits: UploadLimits, signal: AbortSignal): Promise<Upload> {
  const room = expectedBytes(request, limits);
  const { promise, resolve, reject } = Promise.withResolvers<Upload>();
  const fields = new Map<string, string>();
  const chunks = new SpentChunks();
  let file: FileBuffer | undefined;
  let named = '';
  let received = 0;

  const parser = parserFor(request, limits);
  const idleMs = limits.idleMs ?? IDLE_MS;
  const onIdle = (): void =>
    fail(new DaemonError('bad-request', `the upload stood still for ${idleMs / 1000} seconds`));
  const idle = setTimeout(onIdle, idleMs);
  const settle = (finish: () => void): void => {
    clearTimeout(idle);
    signal.removeEventListener('abort', onAbort);
    request.off('data', onData);
    request.unpipe(parser);
    request.resume();
    finish();
  };
  const fail = (error: unknown): void => settle(() => reject(error));
  const onAbort = (): void => fail(signal.reason);
  const onData = (part: Buffer): void => {
    idle.refresh();
    received += part.length;
    chunks.arrived(part);
    if (received > limits.maxFileBytes + ENVELOPE_BYTES) fail(fileTooLarge());
  };
  parser.on('field', (name, value) => {
    if (!fields.has(name)) fields.set(name, value);
  });
  parser.on('file', (name: string, stream: BusboyFileStream, fileName: string) => {
    // A body that ends within a file is told to its stream alone.
    stream.on('error', (error) => fail(malformed(error)));
    if (name !== limits.field || file !== undefined) {
      stream.resume();
      return;
    }
    const into = new FileBuffer(room);
    file = into;
    named = fileName;
    stream.on('data', (part: Buffer) => {
      chunks.reached(part);
      into.append(part);
    });
    stream.on('limit', () => fail(fileTooLarge()));
  });
  parser.on('error', (error) => fail(malformed(error)));
  parser.on('finish', () =>
    settle(() => {
      if (file === undefined) reject(new DaemonError('bad-request', 'http: no such file'));
      else resolve({ bytes: file.take(), fileName: named, fields });
    }),
  );
  request.on('error', fail);
  request.on('data', onData);
  signal.addEventListener('abort', onAbort, { once: true });
  request.pipe(parser);
  return promise;
}

/** @throws DaemonError for a type that it does not take, such as one with an endless boundary */
function parserFor({ headers }: IncomingMessage, { maxFileBytes }: UploadLimits): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      // Checked before; the type wants it to be there.
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      // As upstream: what carries a file name is a file, whatever its content type.
      isPartAFile: (_field, _type, fileName) => fileName !== undefined,
      limits: { fileSize: maxFileBytes, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, parts: 2 * MAX_FIELDS },
    });
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(error: unknown): DaemonError {
  const text = messageOf(error);
  const known = /unexpected end/i.test(text) ? 'unexpected EOF' : text;
  // Without the cause: it is the sender's, and its text is told; with it, it would be logged as a fault of ours.
  return new DaemonError('bad-request', `multipart: NextPart: ${known}`);
}

/** One growing buffer, usually of the right size from the start: no second copy of a large file at the end. */
class FileBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(expected: number) {
    // Not filled with zeroes: only the part that was written is handed out.
    this.#bytes = ownBuffer(expected);
  }

  append(part: Buffer): void {
    const end = this.#length + part.length;
    if (end > this.#bytes.length) {
      const larger = ownBuffer(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(part, this.#length);
    this.#length = end;
  }

  /** The content; its buffer may be a little longer and belongs to the caller from now on. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = ownBuffer(0);
    return taken;
  }
}

function ownBuffer(size: number): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(size);
  return new Uint8Array(buffer);
}
