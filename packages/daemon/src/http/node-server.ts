import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import { FORWARD_HEADER } from '../forwarding/index.ts';
import type { HttpLimits } from './limits.ts';

/** Where other nodes are listened to, apart from clients. */
export interface NodeListening {
  readonly host: string;
  readonly port: number;
  /** PEM texts; with `ca` only nodes with a certificate of it are let in. */
  readonly tls: { readonly ca: string | undefined; readonly cert: string; readonly key: string } | undefined;
}

const FOR_NODES = 'this port is for the other nodes\n';

/** Listens for other nodes: the same routes, and nobody else is let in. */
export async function openNodeServer(
  { host, port, tls }: NodeListening,
  routing: RequestListener,
  limits: Pick<HttpLimits, 'headBytes' | 'headMs' | 'requestMs'>,
): Promise<Server> {
  const options = {
    keepAliveTimeout: 120_000,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: Math.max(limits.requestMs, limits.headMs),
  };
  const onRequest: RequestListener = (request, response) => {
    if (request.headers[FORWARD_HEADER] !== undefined) return routing(request, response);
    response.writeHead(421, { 'Content-Length': FOR_NODES.length, Connection: 'close' }).end(FOR_NODES);
  };
  const server =
    tls === undefined
      ? createServer(options, onRequest)
      : createTlsServer(
          {
            ...options,
            cert: tls.cert,
            key: tls.key,
            minVersion: 'TLSv1.2',
            ...(tls.ca !== undefined && { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
          },
          onRequest,
        );
  // Of this process alone, whose workers share other ports.
  server.listen({ port, host, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const reason = messageOf(cause);
    throw new DaemonError('internal', `cannot listen for other nodes on ${host}:${port}: ${reason}`, {
      cause,
      remedy: 'Free the port, or choose another address with NODE_HOST and NODE_PORT',
    });
  }
  return server;
}
