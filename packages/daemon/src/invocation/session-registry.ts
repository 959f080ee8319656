import { parseForeign } from '@plugin-daemon/plugin-host/json';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { decode, encode } from 'cborg';
import type { Cache } from '../cache/index.ts';
import type { Session } from './session.ts';

export interface SessionRegistryOptions {
  readonly cache: Pick<Cache, 'get' | 'set' | 'delete'>;
  /** Of this process. */
  readonly nodeId: string;
  /** How long an entry outlives a node that died with it, in ms. */
  readonly lifetimeMs: number;
  readonly log: Log;
}

/** An entry is a few ids; whatever is longer is none of ours, and is not decoded. */
const LONGEST_ENTRY = 64 * 1024;
const keyOf = (sessionId: string): string => `session_info:${sessionId}`;

/**
 * Which node holds an open session of a function, for calls back that reach another one (docs/wire/state.md#short-lived-values). In upstream's format, without
 * what only the holder needs: secret and declaration are nowhere but in its memory.
 */
export class SessionRegistry {
  readonly #options: SessionRegistryOptions;

  constructor(options: SessionRegistryOptions) {
    this.#options = options;
  }

  /** Nobody waits for it: a function takes longer to call back than the cache to store. */
  add({ id, runtime, action, envelope }: Session): void {
    if (runtime.type !== 'serverless') return;
    const { cache, nodeId, lifetimeMs, log } = this.#options;
    const { tenantId, userId, conversationId, messageId, appId, endpointId, context } = envelope;
    const parsed = parseForeign(context);
    const entry = encode({
      id,
      tenant_id: tenantId,
      user_id: userId,
      plugin_unique_identifier: runtime.identifier,
      cluster_id: nodeId,
      invoke_from: action.type,
      action: action.action,
      declaration: null,
      conversation_id: conversationId,
      message_id: messageId,
      app_id: appId,
      endpoint_id: endpointId,
      context: parsed.ok ? parsed.value : null,
    });
    cache.set(keyOf(id), entry, lifetimeMs).catch((error: unknown) => {
      log.warn(
        { session: id.slice(0, 8), err: error },
        'other nodes do not know of a session: calls back must reach this one',
      );
    });
  }

  remove({ id, runtime }: Session): void {
    if (runtime.type !== 'serverless') return;
    this.#options.cache.delete(keyOf(id)).catch((error: unknown) => {
      this.#options.log.debug({ session: id.slice(0, 8), err: error }, 'the entry of a session stays until it expires');
    });
  }

  /** The node that holds a session; undefined if none is known, or it is this one, which would know it. */
  async nodeOf(sessionId: string): Promise<string | undefined> {
    const bytes = await this.#options.cache.get(keyOf(sessionId));
    if (bytes === undefined || bytes.length > LONGEST_ENTRY) return undefined;
    const node = clusterIn(bytes);
    return node === this.#options.nodeId ? undefined : node;
  }
}

function clusterIn(bytes: Uint8Array): string | undefined {
  try {
    const decoded: unknown = decode(bytes, { useMaps: true });
    const node: unknown = decoded instanceof Map ? decoded.get('cluster_id') : undefined;
    return typeof node === 'string' && node !== '' ? node : undefined;
  } catch {
    // Not CBOR, or not all of it: somebody else's value under this name.
    return undefined;
  }
}
