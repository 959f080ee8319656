import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ByteBudget, Room } from '@plugin-daemon/plugin-host/budget';
import { drainRefused } from '../../http/index.ts';
import { type FunctionPool, forward, NOT_REACHED, type Outcome } from '../activator/index.ts';
import { FunctionError } from '../function-error.ts';
import type { FunctionRecord } from '../function-store.ts';
import type { Functions } from '../functions.ts';
import { SESSION_ID, SESSION_SECRET, type SessionSecrets } from '../session-secrets.ts';
import { type SriCall, type SriRoute, sendText } from './routes.ts';

export interface FunctionRoutesOptions {
  readonly functions: Functions;
  readonly maxRequestBytes: number;
  /** Bodies without a length are kept whole before they are passed on. */
  readonly bodies: ByteBudget;
  readonly timeoutMs: number;
  /** Where the secrets of sessions are kept for what functions send back; undefined: functions call daemons back by themselves. */
  readonly secrets: SessionSecrets | undefined;
  readonly onCall: (record: FunctionRecord) => void;
  readonly onCallEnd: (record: FunctionRecord, action: string, outcome: Outcome, seconds: number) => void;
}

/** The addresses of functions. Daemons send functions no key: whoever knows the address may call. */
export function functionRoutes(options: FunctionRoutesOptions): readonly SriRoute[] {
  const { functions } = options;
  return [
    {
      methods: ['POST'],
      path: '/fn/:name/:token/invoke',
      access: 'open',
      summary: 'A call of a function; wakes it if it sleeps.',
      handle: (call) => invoke(options, call),
    },
    {
      methods: ['GET'],
      path: '/fn/:name/:token/health',
      access: 'open',
      summary: 'Whether a function can be called; does not wake it.',
      handle: ({ response, params }) => {
        findFunction(functions, params);
        sendText(response, 200, 'OK');
      },
    },
  ];
}

function findFunction(functions: Functions, { name = '', token = '' }: Readonly<Record<string, string>>) {
  const found = functions.find(name);
  // Names can be worked out from packages; the token cannot, and takes as long to compare whether or not there is such a function.
  if (!isSame(token, found?.record.token ?? '') || found === undefined)
    throw new FunctionError('NoSuchFunction', 'no such function: launch its plugin again (reinstall it)');
  return found;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Of an instance that could not be reached, another one is asked. */
const MAX_ATTEMPTS = 3;

async function invoke(options: FunctionRoutesOptions, call: SriCall): Promise<void> {
  const { request, url, params, signal } = call;
  const { record, pool } = findFunction(options.functions, params);
  const startedAt = performance.now();
  const action = url.searchParams.get('action') ?? '';
  options.onCall(record);
  let outcome: Outcome = 'error';
  const { [SESSION_ID]: session, [SESSION_SECRET]: secret } = request.headers;
  const forget = options.secrets?.keep(record.identifier, textOf(session), textOf(secret));
  try {
    outcome = await attempts(options, pool, call);
  } catch (error) {
    if (signal.aborted) outcome = 'client_disconnect';
    else throw error;
  } finally {
    forget?.();
    options.onCallEnd(record, action, outcome, (performance.now() - startedAt) / 1000);
    drainRefused(request);
  }
}

async function attempts(
  { maxRequestBytes, bodies, timeoutMs, secrets }: FunctionRoutesOptions,
  pool: FunctionPool,
  { request, response, url, signal }: SriCall,
): Promise<Outcome> {
  const length = request.headers['content-length'];
  if (length !== undefined && Number(length) > maxRequestBytes) throw tooLarge(maxRequestBytes);
  const room = bodies.room();
  let body: Buffer | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      // Before the body is read: what waits for an instance waits in the socket.
      const place = await pool.enter(signal);
      try {
        if (Number(length ?? 0) <= KEPT_BODY_BYTES) body ??= await bodyOf(request, maxRequestBytes, room, bodies);
        const path = `/invoke${url.search}`;
        const outcome = await forward({
          request,
          response,
          slot: place.slot,
          path,
          body: body ?? request,
          timeoutMs,
          without: secrets === undefined ? undefined : SESSION_SECRET,
        });
        if (outcome !== NOT_REACHED) return outcome;
      } finally {
        place.release();
      }
      if (attempt === MAX_ATTEMPTS)
        throw new FunctionError('FunctionUnavailable', 'no instance of the function could be reached: try again');
    }
  } finally {
    room.release();
  }
}

/** Up to here a body is kept whole until it has been answered, so that another instance can be sent it. */
const KEPT_BODY_BYTES = 1024 * 1024;

/** The whole body. Of one without a length too: instances read bodies by their length. */
async function bodyOf(request: IncomingMessage, limit: number, room: Room, budget: ByteBudget): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  // A refused sender is to read the answer: its connection stays.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw tooLarge(limit);
    const exceeded = room.grow(part.length);
    if (exceeded !== undefined) throw budget.refusal('the body of this call', exceeded);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

const tooLarge = (limit: number): FunctionError =>
  new FunctionError('RequestTooLarge', `the request is larger than ${limit} bytes (SRI_MAX_REQUEST_BYTES)`);
