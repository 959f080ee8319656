import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type HttpKeys, type KeyCheck, keyChecks, unauthorized } from './auth.ts';
import type { ConnectionLimits } from './connections.ts';
import { errorBody, JSON_TYPE } from './envelope.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { keepFirst } from './repeated-headers.ts';
import type { RouteGroup } from './route.ts';

export interface GateOptions {
  readonly keys: HttpKeys;
  readonly connections: ConnectionLimits;
  readonly failedAttemptsPerMinute: number;
  readonly onBlocked?: (address: string) => void;
  /** Handed over by another node, which has counted it already. */
  readonly isFromNode?: ((request: FastifyRequest) => boolean) | undefined;
  /** An address uses the former key; once an hour for each. */
  readonly onFormerKey?: (address: string) => void;
}

const FORMER_KEY_TOLD_EVERY_MS = 60 * 60_000;
const MAX_TOLD = 1000;

/** What the gate has found out about a request. */
interface Visit {
  maySeeDetails: boolean;
  usedFormerKey: boolean;
  /** Gives back the place of a request that was let in as a stranger's. Idempotent. */
  leave: (() => void) | undefined;
  readonly connections: ConnectionLimits;
}

// A property and no WeakMap: young collections keep what such maps hold, and with it the request.
declare module 'fastify' {
  interface FastifyRequest {
    /** Absent before the gate. */
    visit: Visit | null;
  }
}

/** Whether a request may see what is not for everybody. */
export const maySeeDetails = ({ visit }: FastifyRequest): boolean => visit?.maySeeDetails === true;

/** A request of an open route has shown that it is no stranger's: its address is not counted for it any more. Idempotent. */
export function recognise({ visit, raw }: FastifyRequest): void {
  if (visit?.leave === undefined) return;
  visit.leave();
  visit.connections.admit(raw.socket);
}

export const usedFormerKey = ({ visit }: FastifyRequest): boolean => visit?.usedFormerKey === true;

/** Decides about a request before anything of its body is read: its key, and how much its address asks at once. */
export class Gate {
  readonly #options: GateOptions;
  readonly #checks: Readonly<Record<RouteGroup, KeyCheck>>;
  readonly #failures: FailedAttempts;
  readonly #toldOf = new Map<string, number>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#checks = keyChecks(options.keys);
    this.#failures = new FailedAttempts({
      perMinute: options.failedAttemptsPerMinute,
      ...(options.onBlocked !== undefined && { onBlocked: options.onBlocked }),
    });
  }

  /** Prepares the requests of a server. */
  watch(app: FastifyInstance): void {
    app.decorateRequest('visit', null);
  }

  /** Lets the request in, or answers it. */
  pass(group: RouteGroup, request: FastifyRequest, reply: FastifyReply, next: () => void): void {
    const { connections, keys } = this.#options;
    const visit: Visit = { maySeeDetails: false, usedFormerKey: false, leave: undefined, connections };
    request.visit = visit;
    const open = group === 'public' || group === 'probe' || (group === 'details' && keys.detailsOpen);
    const fromNode = this.#options.isFromNode?.(request) === true;
    if (fromNode) connections.admit(request.raw.socket);
    if (open && !fromNode) {
      const leave = connections.enter(request.ip);
      if (leave === undefined) return refuse(reply, busy(), 1);
      visit.leave = leave;
      reply.raw.once('close', leave);
    }
    // Webhooks carry headers of strangers, which are no keys.
    if (group === 'public') return next();
    keepFirst(request.raw);
    const wait = this.#failures.waitOf(request.ip);
    const admission =
      wait === undefined || this.#failures.isKnown(request.ip) ? this.#checks[group](request.headers) : undefined;
    if (admission !== undefined) {
      this.#failures.succeeded(request.ip);
      connections.admit(request.raw.socket);
      if (admission === 'former-key') {
        visit.usedFormerKey = true;
        this.#tellFormerKey(request.ip);
      }
    } else if (!open || hasKey(request)) {
      if (wait !== undefined && !open) return refuse(reply, blocked(wait), wait);
      if (wait === undefined) this.#failures.failed(request.ip);
      if (group === 'details') reply.header('WWW-Authenticate', 'Basic realm="plugin daemon", charset="UTF-8"');
      if (!open) return refuse(reply, unauthorized());
    }
    visit.maySeeDetails = admission !== undefined || keys.detailsOpen;
    next();
  }

  #tellFormerKey(address: string): void {
    const now = Date.now();
    if (now - (this.#toldOf.get(address) ?? Number.NEGATIVE_INFINITY) < FORMER_KEY_TOLD_EVERY_MS) return;
    if (this.#toldOf.size >= MAX_TOLD) this.#toldOf.clear();
    this.#toldOf.set(address, now);
    this.#options.onFormerKey?.(address);
  }
}

const hasKey = ({ headers }: FastifyRequest): boolean =>
  headers['x-api-key'] !== undefined || headers['x-admin-api-key'] !== undefined || headers.authorization !== undefined;

function refuse(reply: FastifyReply, error: DaemonError, retryAfter?: number): void {
  if (retryAfter !== undefined) reply.header('Retry-After', retryAfter);
  reply.code(error.status).type(JSON_TYPE).send(errorBody(error));
}

const blocked = (seconds: number): DaemonError =>
  new DaemonError('too-many-requests', `too many requests with a wrong key from this address: wait ${seconds} s`, {
    remedy: 'Compare the key with SERVER_KEY of the daemon; MAX_FAILED_AUTH_PER_MINUTE is the limit',
  });

const busy = (): DaemonError =>
  new DaemonError('too-many-requests', 'too many requests of this address are open', {
    remedy: 'Wait for their answers; MAX_PUBLIC_REQUESTS_PER_ADDRESS is the limit',
  });
