/** What a plugin failed with: the innermost text of a PluginInvokeError. */
export interface PluginFailure {
  /** The name of the plugin's exception, such as `InvokeRateLimitError`. */
  readonly type: string;
  readonly message: string;
  /** `traceback`, and `description` of models. */
  readonly args: Readonly<Record<string, unknown>> | null;
}

/** The daemon said no: an envelope with a code other than 0. Message, type and args are the plugin's own where a plugin failed. */
export class DaemonAnswerError extends Error {
  override readonly name = 'DaemonAnswerError';
  /** `code` of the envelope, negative. */
  readonly code: number;
  /** The error type, such as `PluginNotFoundError`, or the plugin's exception; undefined if the daemon named none. */
  readonly type: string | undefined;
  /** Figures of the message; the plugin's own where a plugin failed. */
  readonly args: Readonly<Record<string, unknown>> | null;
  /** HTTP status of the answer; errors of management routes and in streams come with 200. */
  readonly status: number;
  /** Set when a plugin failed. */
  readonly plugin: PluginFailure | undefined;

  constructor(code: number, text: string, status: number) {
    const outer = opened(text);
    const inner = outer?.type === 'PluginInvokeError' ? opened(outer.message) : undefined;
    super(inner?.message ?? outer?.message ?? text);
    this.code = code;
    this.status = status;
    this.type = inner?.type ?? outer?.type;
    this.args = inner?.args ?? outer?.args ?? null;
    this.plugin = inner;
  }
}

/** The daemon could not be reached, or the connection broke. */
export class DaemonUnreachableError extends Error {
  override readonly name = 'DaemonUnreachableError';

  constructor(url: string, cause: unknown) {
    super(`the daemon at ${url} cannot be reached: ${cause instanceof Error ? reasonOf(cause) : String(cause)}`, {
      cause,
    });
  }
}

/** What answered does not speak as the daemon does. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
  readonly status: number;

  constructor(status: number, text: string) {
    super(`not an answer of the plugin daemon (status ${status}): ${text.slice(0, 300)}`);
    this.status = status;
  }
}

const reasonOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? `${error.message || error.code} (${error.code})` : error.message;

/** An error document in a text; undefined if it is none. */
function opened(text: string): PluginFailure | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A plain text: there is nothing inside it.
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { message, error_type: type, args }: { message?: unknown; error_type?: unknown; args?: unknown } = value;
  if (typeof message !== 'string' || typeof type !== 'string') return undefined;
  return { type, message, args: typeof args === 'object' && args !== null ? { ...args } : null };
}
