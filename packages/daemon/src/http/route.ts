/** Routes as data: from this table come the router, binding, authentication, the OpenAPI document and the tests. */
import type { JsonSchema, RecordOf, RecordType } from '@plugin-daemon/wire-schema';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Who may call and under which prefix a path stands (docs/wire/http-api.md#keys-and-groups): plugin = `/plugin/:tenant_id` + X-Api-Key ·
 * direct = `/v2/invoke` + X-Api-Key · admin = `/admin` + X-Admin-Api-Key · details = as written, with any of the daemon's keys unless
 * DETAILS_ACCESS opens it · probe = for everybody, says more to who has a key · public = for everybody.
 */
export type RouteGroup = 'plugin' | 'direct' | 'admin' | 'details' | 'probe' | 'public';

/** JSON text that is put into the envelope as it is: for values that are kept serialized. */
export class RawJson {
  readonly text: string | Uint8Array;
  /** The text with the envelope around it, where both were written in one buffer: then it is sent as it is. */
  readonly body: Buffer | undefined;
  constructor(text: string | Uint8Array, body?: Buffer) {
    this.text = text;
    this.body = body;
  }
}

/** One request, bound. */
export interface Call<T> {
  /** From the path; empty outside the plugin group. */
  readonly tenantId: string;
  readonly params: Readonly<Record<string, string>>;
  /** The bound and validated request. */
  readonly input: T;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  /** Adds a header to the answer. */
  header(name: string, value: string): void;
}

/** What a route with `handleEvents` tells. */
export interface RouteEvent {
  readonly event: string;
  readonly data: string;
}

/** What a change is made to, one event for each. */
type Subjects = readonly string[];

export interface Route<T = unknown> {
  /** GET answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE' | 'OPTIONS';
  readonly group: RouteGroup;
  /** Relative to the group's prefix, `:name` for parameters, a final `*` for the rest of the path. */
  readonly path: string;
  /** Also served under these (other spellings, trailing slashes). */
  readonly aliases?: readonly string[];
  /** Name of the operation in the description and in clients made from it; unique. */
  readonly operationId?: string;
  readonly tag: string;
  readonly summary: string;
  /** What else a caller should know. */
  readonly description?: string;
  /** What a final `*` of the path is called in the description. */
  readonly rest?: string;
  /** Headers that must be there, `name → meaning`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is bound: the query on GET, the body otherwise (docs/wire/http-api.md#binding). */
  readonly request?: RecordOf<T>;
  /** The body is bound without forgiving anything: for routes that upstream does not have, where a misspelt field must not pass. */
  readonly exact?: boolean;
  /** Other names of query parameters, `alias → name` (docs/wire/http-api.md#lists-and-packages). */
  readonly queryAliases?: Readonly<Record<string, string>>;
  /** Schema of the envelope's `data`. */
  readonly data?: JsonSchema;
  /** Schema of a JSON answer that stands without an envelope. */
  readonly body?: JsonSchema;
  /** Other statuses that come with the same kind of answer, `status → meaning`. */
  readonly alsoWith?: Readonly<Record<number, string>>;
  /** The answer's `data`; a thrown DaemonError becomes an error envelope with HTTP 200 (`errorStatus: 'kind'`: the status of its kind). */
  readonly handle?: (call: Call<T>) => unknown | Promise<unknown>;
  readonly errorStatus?: 'ok' | 'kind';
  /** Answers with events as they happen, each in an envelope; the next one is asked for when the last is on its way. One that is an error comes last. */
  readonly handleEvents?: (call: Call<T>) => AsyncIterable<RouteEvent>;
  /** Answers by itself instead: uploads, bytes, streams. The body is not read before. Thrown errors become error envelopes as above. */
  readonly handleRaw?: (call: Call<T>, reply: FastifyReply) => Promise<void>;
  /** The change that this route makes, for the audit log; what it is made to, asked before it is made. */
  readonly audit?: { readonly action: string; readonly subjects: (call: Call<T>) => Subjects | Promise<Subjects> };
  /** Served while the daemon stops, until its last call has ended: what open calls need, and what tells that it lives. */
  readonly whileStopping?: boolean;
  /** Limit of the request body in bytes; default 8 MiB. */
  readonly bodyLimit?: number;
  /** `multipart/form-data` fields of a raw route, for the description. */
  readonly multipart?: Readonly<Record<string, string>>;
  /** Media type of a raw answer, for the description; default `application/json`. */
  readonly produces?: string;
}

/** Declares a route with its request's type inferred. */
export const route = <T = Record<never, never>>(spec: Route<T>): Route<T> => spec;

/** A route in a table of mixed ones. The request type is erased: binding produces what the route itself declared. */
export type AnyRoute = Omit<Route<never>, 'request'> & { readonly request?: RecordType };
