import { Readable } from 'node:stream';
import { DifyError } from './dify-error.ts';

/** Bodies up to this size go into the socket's buffers in one write; nobody waits for them. */
const ONE_WRITE_BYTES = 64 * 1024;

/**
 * The body as undici wants it: small ones whole, large ones in slices, so that a peer that stops reading is noticed
 * (DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT, docs/wire/runtime-protocol.md#answers-of-dify).
 * @param onStall called when nothing of the body could be written for `writeTimeoutMs`
 */
export function requestBody(
  body: Buffer,
  writeTimeoutMs: number,
  onStall: (error: DifyError) => void,
): Buffer | Readable {
  if (body.length <= ONE_WRITE_BYTES) return body;
  return Readable.from(slices(body, writeTimeoutMs, onStall), { objectMode: false });
}

async function* slices(
  body: Buffer,
  writeTimeoutMs: number,
  onStall: (error: DifyError) => void,
): AsyncGenerator<Buffer, void, void> {
  const stalled = (): void =>
    onStall(
      new DifyError('call', `Dify took nothing of the request for ${writeTimeoutMs} ms`, {
        remedy: 'Raise DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT if its API server is that busy at times',
      }),
    );
  for (let at = 0; at < body.length; at += ONE_WRITE_BYTES) {
    // Asked for the next slice only when there is room again for it.
    const timer = setTimeout(stalled, writeTimeoutMs);
    try {
      yield body.subarray(at, at + ONE_WRITE_BYTES);
    } finally {
      clearTimeout(timer);
    }
  }
}
