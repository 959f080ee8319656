import type { IncomingMessage, ServerResponse } from 'node:http';
import { FORWARD_HEADER, type NodeMarks, REFUSED_HEADER, type Refusal } from './mark.ts';

/** A call that another node has handed over. */
export interface Forwarded {
  readonly via: readonly string[];
  /** The client's connection to the first node was TLS. */
  readonly secure: boolean;
  /** The client's address, as the first node saw it. */
  readonly client: string | undefined;
  /** Says that nothing was begun: the sender may ask another node. To be called before anything is answered. */
  refuse(reason: Refusal): void;
}

export interface ReceivedForwardsOptions {
  readonly nodeId: string;
  readonly marks: NodeMarks;
  /** Takes no more such calls of others. */
  readonly draining: (target: string) => boolean;
  readonly onRefused?: (reason: Refusal, peer: string | undefined) => void;
}

/** The status of a refusal: the call is addressed to the wrong one. */
const MISDIRECTED = 421;

const forwarded = Symbol('forwarded');
/** The request knows it itself: what a WeakMap holds, and the request with it, stays until the next full collection. */
type MarkedRequest = IncomingMessage & { [forwarded]?: Forwarded };

/** Knows the requests that came from other nodes. */
export class ReceivedForwards {
  readonly #options: ReceivedForwardsOptions;

  constructor(options: ReceivedForwardsOptions) {
    this.#options = options;
  }

  /** undefined for a request of a client. */
  of(request: MarkedRequest): Forwarded | undefined {
    return request[forwarded];
  }

  /**
   * Looks at a request as it arrives. The mark is taken off: nobody behind sees it.
   * @param target as it was written
   * @returns false when it was refused, and answered
   */
  receive(request: MarkedRequest, response: ServerResponse, target: string): boolean {
    const header = request.headers[FORWARD_HEADER];
    if (header === undefined) return true;
    removeHeader(request, FORWARD_HEADER);
    const { marks, nodeId, draining, onRefused } = this.#options;
    const read = typeof header === 'string' ? marks.read(header, request.method ?? '', target) : 'foreign';
    const proof = typeof read === 'string' ? '' : read.proof;
    const refuse = (reason: Refusal): void => {
      onRefused?.(reason, request.socket.remoteAddress);
      // The rest of the body is of no use to anybody.
      response.writeHead(MISDIRECTED, { [REFUSED_HEADER]: marks.refuse(reason, proof), 'Content-Length': 0 }).end();
      request.resume();
    };
    if (typeof read === 'string') {
      refuse(read);
      return false;
    }
    // Copied by a daemon that does not know what it means, it comes back to where it was.
    if (read.to !== nodeId || read.via.includes(nodeId)) {
      refuse('not-mine');
      return false;
    }
    if (read.aboutItself !== true && draining(target)) {
      refuse('draining');
      return false;
    }
    request[forwarded] = { via: read.via, secure: read.secure, client: read.client, refuse };
    if (read.awaitsSign) response.writeProcessing();
    return true;
  }
}

function removeHeader(request: IncomingMessage, name: string): void {
  delete request.headers[name];
  const raw = request.rawHeaders;
  for (let at = raw.length - 2; at >= 0; at -= 2) if (raw[at]?.toLowerCase() === name) raw.splice(at, 2);
}
