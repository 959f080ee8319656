import { boolean, InvalidValue, integer, path, port, text, url } from './setting.ts';

/** Listening, keys, and the way back to Dify. Source: docs/wire/state.md#settings. */
export const serverSettings = {
  DATA_DIR: path({
    default: 'data',
    meaning:
      'Directory of everything the daemon keeps when nothing else is configured: database file, stored objects, plugin working directories, generated keys, fetched tools. One daemon at a time.',
    usedBy: 'config',
    own: true,
  }),
  SERVER_HOST: text({
    default: '127.0.0.1',
    defaultText: '`127.0.0.1`; `0.0.0.0` when `SERVER_KEY` is configured',
    meaning:
      'Address the HTTP server binds. With a configured key the daemon is part of a deployment and listens like the existing one; with a generated key it stays on this machine.',
    usedBy: 'http',
  }),
  SERVER_PORT: port({ default: 5002, zeroIsDefault: true, meaning: 'Port of the HTTP server.', usedBy: 'http' }),
  SERVER_KEY: text({
    defaultText: 'generated at first start into `DATA_DIR/keys/server-key`',
    secret: true,
    meaning:
      'Key that callers send as `X-Api-Key`; the same value as `PLUGIN_DAEMON_KEY` of Dify. Required by every route of Dify.',
    usedBy: 'http',
  }),
  ALLOW_PUBLISHED_KEYS: boolean({
    default: false,
    meaning:
      'Start although `SERVER_KEY` or `DIFY_INNER_API_KEY` is one of the default keys printed in public compose files and the server listens beyond this machine. Anyone who can reach the port then owns the daemon.',
    usedBy: 'config',
    own: true,
  }),
  SERVER_TZ: text({
    default: 'UTC',
    meaning: 'Time zone (IANA name) of the log timestamps in text format.',
    usedBy: 'telemetry',
    refuse: (zone) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: zone });
      } catch {
        throw new InvalidValue('is not a known time zone', 'write an IANA name such as UTC or Asia/Shanghai');
      }
    },
  }),
  MAX_DISPATCH_BODY_BYTES: integer({
    default: 134_217_728,
    min: 1024,
    unit: 'bytes',
    meaning: 'Largest request body of an invocation. A larger one is answered with 413 and this name.',
    usedBy: 'http',
    own: true,
  }),
  MAX_ENDPOINT_BODY_BYTES: integer({
    default: 10_485_760,
    min: 1024,
    unit: 'bytes',
    meaning: 'Largest body of a webhook call. A larger one is answered with 413 and this name.',
    usedBy: 'http',
    own: true,
  }),
  MAX_ENDPOINT_BODIES_BYTES: integer({
    default: 67_108_864,
    min: 65_536,
    unit: 'bytes',
    meaning:
      'What the bodies of all webhook calls may hold together until their plugins have taken them; one plugin of one tenant may hold a quarter. A call for which there is no room waits before its body is read, and is answered with 503 and this name after 30 s. Answers that slow clients have not fetched have four times as much.',
    usedBy: 'http',
    own: true,
  }),
  ENDPOINT_SHARED_ORIGIN: boolean({
    default: true,
    meaning:
      "All webhooks are served from one origin, so what a plugin answers is confined to its hook: cookies get the hook's path, headers that act on the whole origin are left out, browsers do not guess types, documents are sandboxed, and the cookies of Dify itself do not reach plugins. false: answers go out as the plugin wrote them; only where each hook has a host name of its own.",
    usedBy: 'http',
    own: true,
  }),
  ENDPOINT_HTML_SANDBOX: text({
    default: 'allow-scripts allow-forms allow-popups allow-modals allow-downloads',
    meaning:
      'What a document that a webhook answers with may do: tokens of the directive `sandbox` of Content-Security-Policy. `off`: documents are not sandboxed, and scripts of one plugin can act on the webhooks of all others.',
    usedBy: 'http',
    own: true,
    refuse: (tokens) => {
      if (tokens === 'off' || /^(?:allow-[a-z-]+(?: allow-[a-z-]+)*)?$/.test(tokens)) return;
      throw new InvalidValue(
        'is no list of sandbox tokens',
        'write tokens such as `allow-scripts allow-forms`, or `off`',
      );
    },
  }),
  ENDPOINT_ERROR_DETAILS: boolean({
    default: false,
    meaning:
      'Whoever calls a webhook reads why its plugin failed: tracebacks, stderr, paths. Otherwise the caller gets an error id, and the log the rest.',
    usedBy: 'http',
    own: true,
  }),
  ADMIN_API_ENABLED: boolean({ default: false, meaning: 'Mounts `/admin/*`.', usedBy: 'http' }),
  ADMIN_API_KEY: text({
    secret: true,
    meaning: 'Key of the admin API, sent as `X-Admin-Api-Key`; at least 10 bytes.',
    usedBy: 'http',
  }),
  DIFY_INNER_API_URL: url({
    default: 'http://127.0.0.1:5001',
    meaning:
      "Base URL of Dify's inner API, where calls of plugins back into Dify go. Proxy variables do not apply to it.",
    usedBy: 'backwards-invocation',
  }),
  DIFY_INNER_API_KEY: text({
    defaultText: 'generated at first start into `DATA_DIR/keys/dify-inner-api-key`',
    secret: true,
    meaning: 'Key sent to Dify as `X-Inner-Api-Key`; the same value as `INNER_API_KEY_FOR_PLUGIN` of Dify.',
    usedBy: 'backwards-invocation',
  }),
  DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT: integer({
    default: 5000,
    zeroIsDefault: true,
    unit: 'ms',
    meaning: 'Time to connect to Dify and hand over a request.',
    usedBy: 'backwards-invocation',
  }),
  DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT: integer({
    default: 240_000,
    zeroIsDefault: true,
    unit: 'ms',
    meaning:
      "Longest silence of Dify while answering (before the first byte and between two); a stream that flows isn't cut.",
    usedBy: 'backwards-invocation',
  }),
  RESPONSE_MAX_BUFFER_SIZE: integer({
    default: 31_457_280,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning: 'Largest single chunk accepted from a stream of Dify.',
    usedBy: 'backwards-invocation',
  }),
  DIFY_INVOCATION_CONNECTION_IDLE_TIMEOUT: integer({
    default: 120,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'How long an unused connection to Dify is kept open; unused by the existing daemon as well.',
    usedBy: '–',
    status: 'no-effect',
  }),
  HEALTH_API_LOG_ENABLED: boolean({
    default: true,
    meaning: 'false: requests of `/health/check` leave no line in the access log.',
    usedBy: 'http',
  }),
  PROMETHEUS_ENABLED: boolean({
    default: true,
    meaning: 'Serves `/metrics/`; `DETAILS_ACCESS` says to whom.',
    usedBy: 'telemetry',
  }),
  PPROF_ENABLED: boolean({
    default: false,
    meaning: 'Profiles of the Go runtime of the existing daemon.',
    usedBy: '–',
    status: 'no-effect',
  }),
  ROUTINE_POOL_SIZE: integer({
    default: 10_000,
    zeroIsDefault: true,
    meaning: 'Total that the health answer shows in `pool_status`; there is no pool that limits.',
    usedBy: 'http',
  }),
  DISPLAY_CLUSTER_LOG: boolean({
    default: false,
    meaning: 'Verbose log of the cluster.',
    usedBy: '–',
    status: 'no-effect',
  }),
  GIN_MODE: text({ default: '', meaning: 'Mode of a web framework not used here.', usedBy: '–', status: 'no-effect' }),
};
