/** What invocation hands to backwards invocation, and what it gets back (docs/wire/runtime-protocol.md#calls-back-into-dify). */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';

/**
 * The session that calls back. Tenant and user always come from here, never from the plugin
 * (docs/wire/runtime-protocol.md#calls-back-into-dify).
 */
export interface BackwardsCaller {
  readonly sessionId: string;
  readonly tenantId: string;
  readonly userId: string;
  /** `author/name`. */
  readonly pluginId: string;
  /** The plugin unique identifier. */
  readonly identifier: string;
  /** Access type of the session; `model` may not call back. */
  readonly accessType: string;
  readonly declaration: PluginDeclaration;
  /** `traceparent` for outgoing calls. */
  readonly traceparent: string;
  /** Aborted when the session ends: outgoing calls end with it. */
  readonly signal: AbortSignal;
}

/** JSON text of an object; what is long comes in pieces, of which bytes are ASCII. */
export type AnswerData = string | readonly (string | Buffer)[];

/** An event for the plugin. `data` of a response is passed through as received wherever possible. */
export type BackwardsEvent =
  | { readonly event: 'response'; readonly message: 'stream' | 'struct'; readonly data: AnswerData }
  | { readonly event: 'error'; readonly message: string }
  | { readonly event: 'end' };

/** Delivers one event to the plugin. A returned promise means: wait for it before sending more (the plugin reads slowly). */
export type BackwardsReply = (event: BackwardsEvent) => Promise<void> | undefined;

/**
 * Serves one `invoke` message of a plugin. Always ends with exactly one `end` event, after `error` too; never throws for what the
 * plugin sent except when the message itself is malformed (no type, no id, no request).
 */
export interface BackwardsInvocations {
  handle(caller: BackwardsCaller, type: string, request: Record<string, unknown>, reply: BackwardsReply): Promise<void>;
}
