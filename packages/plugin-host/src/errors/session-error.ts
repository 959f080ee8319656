/** The error that ends a session: what stands, as JSON, in the message of a PluginInvokeError (docs/wire/http-api.md#plugin-errors). */
export interface SessionError {
  /** A Python class name when the plugin failed, else one of the daemon's names of docs/wire/http-api.md#plugin-errors. */
  readonly errorType: string;
  readonly message: string;
  /** Absent for the daemon's decoding errors, which upstream sends without the key. */
  readonly args?: Readonly<Record<string, unknown>> | null;
}

export const sessionError = (errorType: string, message: string, args?: SessionError['args']): SessionError =>
  args === undefined ? { errorType, message } : { errorType, message, args };

/** The inner document, keys in upstream's order. */
export const sessionErrorJson = ({ errorType, message, args }: SessionError): string =>
  JSON.stringify(args === undefined ? { error_type: errorType, message } : { args, error_type: errorType, message });
