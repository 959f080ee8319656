/** Opens one streamed call over a raw socket and counts its events as they arrive, without parsing them. */
import { connect } from 'node:net';
import { EventCounter } from '../daemon/index.ts';

const TAIL_BYTES = 300;

export interface StreamResult {
  readonly events: number;
  readonly bytes: number;
  /** From the request to the first byte of the answer's body or head; undefined when nothing came. */
  readonly firstMs: number | undefined;
  readonly ms: number;
  /** The end of the answer, to be shown when something is wrong. */
  readonly tail: string;
}

/** Reads to the end of the answer. The connection is closed afterwards. */
export function readStream(url: string, request: Buffer, signal?: AbortSignal): Promise<StreamResult> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const counter = new EventCounter();
    const startedAt = performance.now();
    let firstMs: number | undefined;
    let tail: Buffer = Buffer.alloc(0);
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setNoDelay(true);
    const abort = () => socket.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('data', (data: Buffer) => {
      firstMs ??= performance.now() - startedAt;
      counter.push(data);
      tail = data.length >= TAIL_BYTES ? data.subarray(-TAIL_BYTES) : Buffer.concat([tail, data]).subarray(-TAIL_BYTES);
      if (tail.subarray(-5).toString('latin1') === '0\r\n\r\n') socket.destroy();
    });
    socket.on('error', () => {}); // 'close' follows; what was counted tells the rest
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort);
      resolve({
        events: counter.events,
        bytes: counter.bytes,
        firstMs,
        ms: performance.now() - startedAt,
        tail: tail.toString('latin1'),
      });
    });
  });
}
