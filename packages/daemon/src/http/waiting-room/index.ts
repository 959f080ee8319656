/**
 * What is answered before there is a daemon: while something it cannot start without is waited for. Liveness is fine, readiness
 * says what is missing, everything else is asked to come back. Called by compose, which closes it before the daemon listens.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { errorBody, JSON_TYPE } from '../envelope.ts';

export interface WaitingRoom {
  close(): Promise<void>;
}

/**
 * Listens until it is closed.
 * @param problems what is missing now, by name, in words that anybody may read
 * @throws the error of `listen`
 */
export async function openWaitingRoom(
  { host, port }: { readonly host: string; readonly port: number },
  problems: () => Readonly<Record<string, string>>,
): Promise<WaitingRoom> {
  const server = createServer((request, response) => {
    request.resume();
    const path = (request.url ?? '').split('?', 1)[0];
    if (path === '/livez') send(response, 200, JSON.stringify({ status: 'ok' }));
    else if (path === '/readyz') send(response, 503, JSON.stringify({ status: 'not ready', problems: problems() }));
    else send(response, 503, errorBody(starting()));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const starting = (): DaemonError =>
  new DaemonError('internal', 'the daemon is starting', { remedy: 'try again soon; /readyz says what it waits for' });

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': JSON_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'Retry-After': '1',
    // The daemon that takes over listens on the same port.
    Connection: 'close',
  });
  response.end(body);
}
