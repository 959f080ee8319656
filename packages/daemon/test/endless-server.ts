/** A server that answers for ever, a byte at a time, and counts the connections that plugins have open to it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EndlessServer extends Disposable {
  readonly url: string;
  /** Answers under way. */
  readonly open: number;
  /** Answers that were ever begun. */
  readonly opened: number;
}

export async function startEndlessServer(host = '127.0.0.1'): Promise<EndlessServer> {
  let open = 0;
  let opened = 0;
  const server = createServer((request, response) => {
    open++;
    opened++;
    const timer = setInterval(() => response.write('x'), 5);
    request.socket.once('close', () => {
      clearInterval(timer);
      open--;
    });
  });
  await once(server.listen(0, host), 'listening');
  // The address of a TCP server is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/`,
    get open() {
      return open;
    },
    get opened() {
      return opened;
    },
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
