/** Reading a body from the bare request, with a limit. */
import type { IncomingMessage } from 'node:http';
import { DaemonError } from '../errors/index.ts';

/**
 * The whole body.
 * @throws DaemonError `too-large` past `limit` bytes (the rest is not read); an ordinary Error when the client breaks off.
 */
export async function readBody(request: IncomingMessage, limit: number, setting?: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    // The stream of a request has no encoding set, so its parts are Buffers.
    const bytes: Buffer = part;
    size += bytes.length;
    if (size > limit) throw tooLarge(limit, setting);
    parts.push(bytes);
  }
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, size);
}

export const tooLarge = (limit: number, setting?: string): DaemonError =>
  new DaemonError(
    'too-large',
    `the request body is larger than ${limit} bytes`,
    setting === undefined ? {} : { remedy: `Raise ${setting} if this is intended` },
  );
