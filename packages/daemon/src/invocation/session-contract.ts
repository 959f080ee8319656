/** What a session is given and what it tells: of its caller, its request, its limits and its end. */
import type { DaemonError, SessionError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime } from '@plugin-daemon/plugin-host/runtimes';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { ActionSpec } from './actions.ts';
import type { SessionEnvelope } from './request-message.ts';

/** Where a session's answer goes. Called synchronously; it must not block and bounds what it keeps. Exactly one of end and fail is called, last. */
export interface SessionOutput {
  /** One message: bytes-as-latin1 JSON text, safe for line readers. */
  chunk(json: string): void;
  /** Everything that arrived together has been handed over. */
  flush(): void;
  end(): void;
  fail(failure: SessionFailure): void;
}

/** Why a session failed: what the plugin said (or would have), or something of the daemon's own. */
export type SessionFailure =
  | { readonly from: 'plugin'; readonly error: SessionError }
  | { readonly from: 'daemon'; readonly error: DaemonError };

/** How a session ended, for metrics. */
export type SessionOutcome = 'success' | 'error' | 'timeout' | 'client_disconnect';

export interface SessionLimits {
  /** Seconds from start to end; PLUGIN_MAX_EXECUTION_TIMEOUT. */
  readonly totalSeconds: number;
  /** Seconds without a message of the plugin; 0 = no limit; PLUGIN_IDLE_TIMEOUT. */
  readonly idleSeconds: number;
}

export interface SessionStart {
  readonly id: string;
  readonly action: ActionSpec;
  readonly envelope: SessionEnvelope;
  /** JSON text of the plugin's `data`. */
  readonly data: string;
  readonly runtime: PluginRuntime;
  readonly declaration: PluginDeclaration;
  /** `traceparent` of outgoing calls; asked for when the plugin first calls back. */
  readonly traceparent: () => string;
}
