/** Reading a body from the bare request, with a limit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/** What is left of a refused body is read and dropped for so long, so that the sender sees the answer. */
const DRAIN_MS = 30_000;

/**
 * The whole body.
 * @throws DaemonError `too-large` past `limit` bytes (nothing more is kept); `bad-request` when the client breaks off.
 */
export function readBody(request: IncomingMessage, limit: number, setting?: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  let size = 0;
  const refuse = (): void => {
    settle(() => reject(tooLarge(limit, setting)));
    drainRefused(request);
  };
  const onData = (part: Buffer): void => {
    size += part.length;
    if (size > limit) return refuse();
    parts.push(part);
  };
  const onEnd = (): void => {
    const [first] = parts;
    settle(() => resolve(parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, size)));
  };
  const onGone = (): void => settle(() => reject(new DaemonError('bad-request', 'the client broke the request off')));
  function settle(finish: () => void): void {
    request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    finish();
  }
  if (request.readableEnded) onEnd();
  else if (request.destroyed) onGone();
  else if (Number(request.headers['content-length']) > limit) refuse();
  else request.on('end', onEnd).on('close', onGone).on('error', onGone).on('data', onData);
  return promise;
}

/**
 * Lets a sender whose body was refused finish sending, so that it reads our answer instead of a broken connection.
 * @param then called once, when the body is over or nobody waits for it any longer
 */
export function drainRefused(request: IncomingMessage, then: () => void = () => undefined): void {
  if (request.readableEnded || request.destroyed) return then();
  const timer = setTimeout(() => request.destroy(), DRAIN_MS).unref();
  const done = (): void => {
    clearTimeout(timer);
    request.off('close', done).off('end', done);
    then();
  };
  request.on('error', () => undefined);
  request.on('close', done).on('end', done).resume();
}

/**
 * The whole of an answer whose head is written. While the request's body still arrives, the response stays open: closing the connection
 * under a sender would take the answer with it.
 */
export function endWhenSent(response: ServerResponse, body: string | Uint8Array): void {
  response.write(body);
  drainRefused(response.req, () => response.end());
}

export const tooLarge = (limit: number, setting?: string): DaemonError =>
  new DaemonError(
    'too-large',
    `the request body is larger than ${limit} bytes`,
    setting === undefined ? {} : { remedy: `Raise ${setting} if this is intended` },
  );
