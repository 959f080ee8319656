/** Opens one streamed call over a raw socket and counts its events as they arrive, without parsing them. */
import { connect } from 'node:net';
import { EventCounter } from '../daemon/index.ts';

const TAIL_BYTES = 300;
const HEAD_BYTES = 4096;

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
    let head = '';
    let tail: Buffer = Buffer.alloc(0);
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setNoDelay(true);
    const abort = () => socket.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('data', (data: Buffer) => {
      firstMs ??= performance.now() - startedAt;
      counter.push(data);
      if (head.length < HEAD_BYTES) head += data.toString('latin1', 0, HEAD_BYTES);
      tail = data.length >= TAIL_BYTES ? data.subarray(-TAIL_BYTES) : Buffer.concat([tail, data]).subarray(-TAIL_BYTES);
      if (isEnd(head, counter.bytes, tail)) socket.destroy();
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

/** A short answer has a length, a long one a last chunk. */
function isEnd(head: string, received: number, tail: Buffer): boolean {
  const headEnd = head.indexOf('\r\n\r\n');
  const length = headEnd < 0 ? null : /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, headEnd));
  if (length) return received >= headEnd + 4 + Number(length[1]);
  return tail.subarray(-5).toString('latin1') === '0\r\n\r\n';
}
