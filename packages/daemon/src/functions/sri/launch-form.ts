import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

export interface LaunchForm {
  readonly contentType: string;
  /** Bytes. */
  readonly length: number;
  /** Read once; destroys its source when it is destroyed. */
  readonly body: Readable;
}

export interface LaunchFormParts {
  readonly fileName: string;
  readonly size: number;
  readonly content: Readable;
  readonly fields: Readonly<Record<string, string>>;
}

/** The multipart body of a launch, sent as the package comes from its store: of it no more is in memory than a piece. */
export function launchForm({ fileName, size, content, fields }: LaunchFormParts): LaunchForm {
  const boundary = `----launch-${randomBytes(16).toString('hex')}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="context"; filename="${fileName}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const texts = Object.entries(fields).map(
    ([name, value]) => `\r\n--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`,
  );
  const tail = Buffer.from(`${texts.join('')}\r\n--${boundary}--\r\n`);
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield head;
    // A stream that ends early or goes on too long makes the client fail the request: the length was promised.
    for await (const piece of content) yield piece;
    yield tail;
  }
  const body = Readable.from(parts(), { objectMode: false });
  body.once('close', () => content.destroy());
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.length + size + tail.length,
    body,
  };
}
