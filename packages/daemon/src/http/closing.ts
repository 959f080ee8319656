/** The end of the servers: everybody who was let in gets an answer. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';

export interface Closing {
  /** For clients. */
  readonly server: Server;
  /** For other nodes, if there is one. */
  readonly nodeServer: Server | undefined;
  /** What answers; closed last. */
  readonly app: { close(): Promise<unknown> };
  /** Cuts what is still open. */
  readonly signal: AbortSignal;
  /** Called when clients have their answers; other nodes are served until it resolves. */
  readonly served?: (() => Promise<void>) | undefined;
}

/** How often, while stopping, connections without a request are closed. */
const IDLE_LOOK_MS = 100;
/** How long, while stopping, the first request of the connections that were let in last may take to arrive. */
const FIRST_REQUEST_MS = 500;

/** Stops accepting, lets open requests finish until the signal aborts, then cuts them. */
export async function closeServers({
  server,
  nodeServer,
  app,
  signal,
  served = async () => undefined,
}: Closing): Promise<void> {
  const servers = [server, ...(nodeServer === undefined ? [] : [nodeServer])];
  const cut = () => servers.forEach((one) => void one.closeAllConnections());
  if (signal.aborted) cut();
  else signal.addEventListener('abort', cut, { once: true });
  await nobodyWaits(servers);
  const end = async (one: Server | undefined): Promise<void> => {
    if (one === undefined) return;
    const ended = one.listening ? once(one, 'close') : undefined;
    // Not yet the close of HTTP servers, which ends connections whose first request is still on its way.
    NetServer.prototype.close.call(one);
    await ended;
    one.close();
  };
  const ended = end(server).then(served);
  // A connection that a client keeps after its last answer would hold the end up.
  const closeIdle = () => servers.forEach((one) => void one.closeIdleConnections());
  let idle: NodeJS.Timeout | undefined;
  const arriving = setTimeout(() => {
    closeIdle();
    idle = setInterval(closeIdle, IDLE_LOOK_MS);
  }, FIRST_REQUEST_MS);
  try {
    await ended;
    await end(nodeServer);
    await app.close();
  } finally {
    clearTimeout(arriving);
    clearInterval(idle);
    signal.removeEventListener('abort', cut);
  }
}

/** How long it may take to let everybody in who stands before a server that closes. */
const LAST_ONES_MS = 500;

/**
 * Resolves at a moment when nobody waits to be let in: the system resets the connections that it has taken and nobody has accepted, and
 * each turn of the event loop accepts one.
 */
async function nobodyWaits(servers: readonly Server[]): Promise<void> {
  let came = 0;
  const count = (): void => void came++;
  for (const server of servers) server.on('connection', count);
  const until = performance.now() + LAST_ONES_MS;
  for (let before = -1, quiet = 0; quiet < 2 && performance.now() < until; before = came) {
    await new Promise(setImmediate);
    quiet = came === before ? quiet + 1 : 0;
  }
  for (const server of servers) server.off('connection', count);
}
