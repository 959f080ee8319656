import type { IncomingMessage } from 'node:http';
import { DaemonError } from '../../errors/index.ts';

export interface ReadBodyOptions {
  /** Bytes. */
  readonly limit: number;
  /** The setting of that limit, for the one who has to change it. */
  readonly setting: string;
  /** The longest silence of the client while it sends, in ms. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** How long the rest of a refused body is swallowed so that the client can read the answer, in ms. */
const lingerMs = 5_000;

/**
 * Reads a whole request body.
 * @throws DaemonError `too-large` (413) over the limit, status 408 when the client falls silent, status 400 when it leaves.
 */
export function readBody(
  request: IncomingMessage,
  { limit, setting, idleMs, signal }: ReadBodyOptions,
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) {
    swallow(request);
    return Promise.reject(tooLarge(limit, setting));
  }
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const idle = setTimeout(() => {
      finish(() => reject(stalled(idleMs, size)));
      swallow(request);
    }, idleMs);
    const onData = (part: Buffer): void => {
      idle.refresh();
      parts.push(part);
      size += part.length;
      if (size <= limit) return;
      finish(() => reject(tooLarge(limit, setting)));
      swallow(request);
    };
    const onEnd = (): void => finish(() => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
    const onGone = (): void => finish(() => reject(left()));
    const onAbort = (): void => finish(() => reject(signal.reason instanceof DaemonError ? signal.reason : left()));
    function finish(settle: () => void): void {
      clearTimeout(idle);
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      signal.removeEventListener('abort', onAbort);
      settle();
    }
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** Lets the rest of a body pass unseen for a while; then the connection ends, whatever the client does. */
function swallow(request: IncomingMessage): void {
  request.on('error', () => request.socket.destroy());
  request.resume();
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, lingerMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

const tooLarge = (limit: number, setting: string): DaemonError =>
  new DaemonError('too-large', `the webhook body is larger than ${limit} bytes, the limit for one request`, {
    remedy: `Send less, or raise ${setting}`,
  });

const stalled = (idleMs: number, size: number): DaemonError =>
  new DaemonError('bad-request', `the rest of the body did not come within ${idleMs / 1000} s (${size} bytes did)`, {
    status: 408,
  });

const left = (): DaemonError => new DaemonError('bad-request', 'the client left before the body was complete');
