/** Failures of slim: a code, and the exit code that goes with it (docs/wire/cli.md#lines). */
const EXIT_CODES = {
  STREAM_READ_ERROR: 1,
  STREAM_PARSE_ERROR: 1,
  PLUGIN_NOT_FOUND: 1,
  PLUGIN_INIT_ERROR: 1,
  PLUGIN_EXEC_ERROR: 1,
  PLUGIN_PACKAGE_INVALID: 1,
  PLUGIN_PACKAGE_TOO_LARGE: 1,
  PLUGIN_EXTRACT_ERROR: 1,
  INVALID_INPUT: 2,
  INVALID_ARGS_JSON: 2,
  CONFIG_LOAD_ERROR: 2,
  CONFIG_INVALID: 2,
  UNKNOWN_MODE: 2,
  UNKNOWN_ACTION: 2,
  NETWORK_ERROR: 3,
  PLUGIN_DOWNLOAD_ERROR: 3,
  PLUGIN_DOWNLOAD_TIMEOUT: 3,
  DAEMON_ERROR: 4,
} as const;

export type SlimCode = keyof typeof EXIT_CODES;

export class SlimError extends Error {
  readonly code: SlimCode;

  constructor(code: SlimCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SlimError';
    this.code = code;
  }

  get exit(): number {
    return EXIT_CODES[this.code];
  }
}

const SHOWN_STDERR = 512;

/** `hello world` cut to 5 gives `hello...`. */
export function truncate(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`;
}

/** What the plugin wrote before it failed, appended to the message. */
export function withStderr(error: SlimError, stderr: string): SlimError {
  const text = stderr.trim();
  return text === ''
    ? error
    : new SlimError(error.code, `${error.code}: ${error.message}; stderr: ${truncate(text, SHOWN_STDERR)}`, error);
}
