/**
 * What the parts of this house log through. Whoever runs plugins brings the log itself: the daemon its own, with destinations and
 * redaction (its telemetry/), the command line one that its user reads.
 */

interface LogMethod {
  (fields: object, message: string): void;
  (message: string): void;
}

/**
 * The structured log. An `error` or `err` field that holds an Error is written as its text, at ERROR with its stack.
 * In the daemon's, fields whose names promise a secret (key, token, password, …) are replaced, as are the daemon's own keys anywhere;
 * texts are cut at 4 KiB, and what could forge a line or play with a terminal is escaped.
 */
export interface Log {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  /**
   * A log whose lines carry these fields. `component` names the part; `trace_id`, `span_id` and `identity`
   * (`tenant_id`, `user_id`, `user_type`) are the context of a request.
   */
  child(fields: object): Log;
  isLevelEnabled(level: string): boolean;
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
  isLevelEnabled: () => false,
};
