/**
 * What a plugin process finds in its environment. Upstream hands over the daemon's whole environment, database
 * passwords and server keys included; here a variable passes only when a row of this table, or the operator, says so
 * (docs/wire/runtime-protocol.md#environment-of-a-plugin).
 */

interface AllowedVariables {
  /** Exact names, upper case on every system. */
  readonly names: readonly string[];
  /** For families of names whose members cannot be listed. */
  readonly pattern?: RegExp;
  readonly reason: string;
}

export const ALLOWED_VARIABLES: readonly AllowedVariables[] = [
  { names: ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL'], reason: 'programs and user files are found as in the daemon' },
  { names: ['LANG', 'LANGUAGE', 'TZ'], pattern: /^LC_[A-Z]+$/, reason: 'language, formats and time zone of the host' },
  {
    names: ['TMPDIR', 'TEMP', 'TMP', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR'],
    reason: 'where temporary and cached files may go',
  },
  { names: ['LD_LIBRARY_PATH'], reason: 'native libraries of an image built by the operator' },
  {
    names: [
      'SSL_CERT_FILE',
      'SSL_CERT_DIR',
      'REQUESTS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'AWS_CA_BUNDLE',
      'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
    ],
    reason: 'certificate authorities of the network the daemon lives in',
  },
  {
    names: ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'FTP_PROXY'],
    reason: 'the way out of the network; both spellings pass',
  },
  {
    // Environments are ours to write to, and without bytecode every start of a plugin takes three times as long.
    // PYTHON_… names are settings of the daemon; those of the interpreter have no underscore there.
    names: [],
    pattern: /^PYTHON(?!DONTWRITEBYTECODE$)[A-Z0-9]+$/,
    reason: 'switches of the Python interpreter',
  },
  {
    names: ['MAX_REQUEST_TIMEOUT', 'MAX_INVOCATION_TIMEOUT', 'MAX_WORKER', 'HEARTBEAT_INTERVAL', 'HTTPX_TIMEOUT'],
    reason: 'settings of the plugin SDK, which operators set on the daemon',
  },
  {
    names: ['FILES_URL', 'TIKTOKEN_CACHE_DIR', 'PLAYWRIGHT_BROWSERS_PATH', 'NLTK_DATA', 'HF_HOME', 'MPLCONFIGDIR'],
    reason: 'read by official plugins: Dify’s file address, tokenizer, browser, corpus and model caches',
  },
  {
    names: [
      'SYSTEMROOT',
      'SYSTEMDRIVE',
      'WINDIR',
      'COMSPEC',
      'PATHEXT',
      'USERPROFILE',
      'APPDATA',
      'LOCALAPPDATA',
      'PROGRAMDATA',
      'NUMBER_OF_PROCESSORS',
    ],
    reason: 'without these neither Python nor sockets start on Windows',
  },
];

export interface ProxySettings {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly no?: string | undefined;
}

/** Configured proxies as variables; unset and empty ones are absent. */
export function proxyVariables({ http, https, no }: ProxySettings = {}): Record<string, string> {
  return {
    ...(http && { HTTP_PROXY: http }),
    ...(https && { HTTPS_PROXY: https }),
    ...(no && { NO_PROXY: no }),
  };
}

export interface PluginEnvironmentOptions {
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as configured; unset or empty ones leave the source's alone. */
  readonly proxies?: ProxySettings;
  /** Further names that the operator lets through; a trailing `*` stands for any ending. */
  readonly passthrough?: readonly string[];
  /** Names of the daemon's own secrets: no passthrough entry covers them. */
  readonly secrets?: ReadonlySet<string>;
  /** The hatch back to upstream's behaviour: everything passes, secrets included. */
  readonly inheritAll?: boolean;
}

/** Set last, whatever the source says. The package may carry a `.env` left over from debugging; the environment wins over it. */
const FIXED: Readonly<Record<string, string>> = {
  INSTALL_METHOD: 'local',
  PYTHONIOENCODING: 'utf-8',
  PYTHONUTF8: '1',
};

/** The complete environment of a plugin process, made from the daemon's (`process.env`). */
export function pluginEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  options: PluginEnvironmentOptions = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  const allowed = options.inheritAll === true ? () => true : allowance(options);
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && allowed(name)) result[name] = value;
  }
  return { ...result, ...proxyVariables(options.proxies), ...FIXED };
}

/** Whether every plugin may see this variable of the daemon. */
export const isForPlugins: (name: string) => boolean = allowance({});

function allowance(options: PluginEnvironmentOptions): (name: string) => boolean {
  const exact = new Set(ALLOWED_VARIABLES.flatMap((row) => row.names));
  const patterns = ALLOWED_VARIABLES.flatMap((row) => (row.pattern ? [row.pattern] : []));
  const extra = (options.passthrough ?? []).map((entry) => entry.trim()).filter((entry) => entry !== '');
  const extraNames = new Set(extra.filter((entry) => !entry.endsWith('*')));
  const extraPrefixes = extra.filter((entry) => entry.endsWith('*')).map((entry) => entry.slice(0, -1));
  const secrets = options.secrets ?? new Set<string>();
  return (name) => {
    if (secrets.has(name)) return false;
    // Windows spells names as it likes, and the proxies exist in both cases everywhere.
    const upper = name.toUpperCase();
    if (exact.has(process.platform === 'win32' || upper.endsWith('_PROXY') ? upper : name)) return true;
    if (patterns.some((pattern) => pattern.test(name))) return true;
    return extraNames.has(name) || extraPrefixes.some((prefix) => name.startsWith(prefix));
  };
}
