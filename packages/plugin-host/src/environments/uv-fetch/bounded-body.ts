import type { Dispatcher } from 'undici';

/** The whole body. @throws Error when it is longer than the limit: an index may send without end, or be somebody else */
export async function boundedBytes(
  { body, headers }: Pick<Dispatcher.ResponseData, 'body' | 'headers'>,
  limit: number,
  address: string,
): Promise<Buffer> {
  const tooLong = () => new Error(`${address} sends more than ${limit} bytes`);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    if (Number(headers['content-length'] ?? 0) > limit) throw tooLong();
    for await (const part of body) {
      const bytes = Buffer.from(part);
      size += bytes.length;
      if (size > limit) throw tooLong();
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  } finally {
    // Else closing the client would wait for the rest.
    body.on('error', () => undefined).destroy();
  }
}
