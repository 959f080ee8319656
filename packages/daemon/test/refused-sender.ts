/** A sender that is answered before its body has arrived, and goes on sending. */
import { connect } from 'node:net';

/** Sends a head and a first piece of the body, waits for the whole answer, and sends the rest. @returns status and how the connection ended */
export async function sendOnAfterRefusal(
  url: string,
  path: string,
  bytes: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let end = '';
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.once('error', (error) => {
    end = `broken: ${error.message}`;
  });
  socket.once('end', () => {
    end ||= 'ended';
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const next = (event: 'data' | 'drain'): Promise<void> =>
    Promise.race([new Promise<void>((resolve) => socket.once(event, () => resolve())), closed]);
  const lines = Object.entries({ Host: 'h', Connection: 'close', 'Content-Length': String(bytes), ...headers });
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const answered = (): boolean => {
    const [head, body] = text.split('\r\n\r\n', 2);
    const length = /content-length: (\d+)/i.exec(head ?? '')?.[1];
    return length !== undefined && (body ?? '').length >= Number(length);
  };
  while (!answered() && !socket.destroyed) await next('data');
  const status = text.split(' ', 2)[1] ?? '';
  const early = end === '' ? '' : `${end} before the body was sent; `;
  const piece = Buffer.alloc(1 << 16);
  for (let left = bytes; left > 0 && !socket.destroyed; left -= piece.length)
    if (!socket.write(piece.subarray(0, Math.min(left, piece.length)))) await next('drain');
  socket.end();
  await closed;
  return `${status} ${early}${end}`;
}
