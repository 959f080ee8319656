/** What the HTTP server is given, and what it gives. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpAuditEvent } from './audited.ts';
import type { HttpLimits } from './limits.ts';
import type { NodeListening } from './node-server.ts';
import type { AnyRoute } from './route.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Names of the settings of both, for the remedy when the address is taken. */
  readonly setting?: { readonly host: string; readonly port: string };
  /** Value of X-Api-Key. */
  readonly serverKey: string;
  /** Value of X-Admin-Api-Key; without it the admin group admits nobody. */
  readonly adminKey?: string;
  /** Former values of both, accepted until every caller has the new ones. */
  readonly formerServerKey?: string;
  readonly formerAdminKey?: string;
  /** A key that opens the details group alone. */
  readonly detailsKey?: string;
  /** Whether the details group asks for a key at all; default no. */
  readonly detailsNeedKey?: boolean;
  readonly limits?: Partial<HttpLimits>;
  /** Addresses and networks of proxies in front, whose X-Forwarded-For counts. */
  readonly trustedProxies?: readonly string[];
  /** Called for changes made through routes that are marked for the audit log. */
  readonly onAudit?: (event: HttpAuditEvent) => void;
  readonly onWarning?: (warning: HttpWarning, address: string) => void;
  readonly routes: readonly AnyRoute[];
  /** Other nodes of the same deployment. */
  readonly nodes?: HttpNodes | undefined;
  /** Called when an answer is complete, with the route's pattern (`''` for unknown routes). */
  readonly onFinished: (request: FastifyRequest, reply: FastifyReply, pattern: string) => void;
  /** Called with errors that are nobody's fault outside: they become a 500 and belong into the log. */
  readonly onFault: (error: unknown, request: FastifyRequest) => void;
}

/** What the server does for, and about, other nodes. */
export interface HttpNodes {
  /** Looks at a request as it arrives. @returns false when it was refused, and answered */
  receive(request: IncomingMessage, response: ServerResponse, target: string): boolean;
  isFromNode(request: IncomingMessage): boolean;
  /** The address of the client whose request another node has handed over. */
  clientOf(request: IncomingMessage): string | undefined;
  /** What has to be made up for before any request is answered. */
  catchUp(): Promise<void> | undefined;
  /** Clients should come with their next request to another node. */
  readonly leaving: boolean;
}

/** What the operator should hear of: an address that is not listened to for now, connections refused, a former key in use. */
export type HttpWarning = 'blocked' | 'too-many-connections' | 'too-many-of-address' | 'former-key';

export interface HttpServer {
  /** Starts listening; resolves to the address in use. */
  listen(): Promise<AddressInfo>;
  /** Listens for other nodes on a port of its own; closed with the rest. */
  listenForNodes(listening: NodeListening): Promise<AddressInfo>;
  /** From now on only what open calls need is served; everything else is refused, and its connection closed. */
  narrow(): void;
  /**
   * Stops accepting, lets open requests finish until `signal` aborts, then cuts them.
   * @param served called when clients have their answers; other nodes are served until it resolves
   */
  close(signal: AbortSignal, served?: () => Promise<void>): Promise<void>;
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
}
