import { boolean, choice, integer, list, path, port, text } from './setting.ts';

/** Bytes of memory for values of one kind. */
const budget = (bytes: number) => ({ default: bytes, min: 1_048_576, unit: 'bytes', own: true }) as const;

/** Running plugins: platform, limits of an invocation, processes, endpoints, debugging. Source: docs/wire/state.md#settings. */
export const pluginSettings = {
  PLATFORM: choice(
    { local: 'local', serverless: 'serverless' },
    {
      default: 'local',
      meaning: 'Where installed plugins run: as processes of this machine, or as functions that a connector builds.',
      usedBy: 'compose',
    },
  ),
  PLUGIN_WORKING_PATH: path({
    default: 'cwd',
    defaultText: '`DATA_DIR/cwd`',
    meaning: 'Directory of unpacked plugins and their Python environments.',
    usedBy: 'environments',
  }),
  PLUGIN_MAX_EXECUTION_TIMEOUT: integer({
    default: 600,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Longest duration of one invocation, from the request to its last chunk.',
    usedBy: 'invocation',
  }),
  PLUGIN_PREFORK: boolean({
    default: true,
    meaning:
      'Start plugins on the SDK by forking a process that has imported it: a start takes tens of milliseconds, and the memory of the SDK is shared. Plugins that cannot be are started one by one. Linux only.',
    usedBy: 'supervision',
    own: true,
  }),
  PLUGIN_PREFORK_PARENTS: integer({
    default: 8,
    min: 1,
    max: 64,
    meaning: 'How many such processes there may be: one for each set of versions of the SDK and what it needs.',
    usedBy: 'supervision',
    own: true,
  }),
  PLUGIN_TEMPLATE_AFTER_MS: integer({
    default: 250,
    min: 0,
    unit: 'ms',
    meaning:
      'A plugin whose import takes so much processor time, and of which there may be several processes, is imported once: its first process becomes a template, from which all of them are forked. 0: each process imports it.',
    usedBy: 'supervision',
    own: true,
  }),
  PLUGIN_CANCEL_GRACE_SECONDS: integer({
    default: 10,
    min: 0,
    unit: 's',
    meaning:
      'How long a call may go on inside its plugin after it was cancelled; then the process is replaced and ended. 0 lets it go on.',
    usedBy: 'supervision',
    own: true,
  }),
  PLUGIN_IDLE_TIMEOUT: integer({
    default: 0,
    unit: 's',
    meaning: 'Longest silence of a plugin between two chunks of one invocation; 0 sets no limit besides the total.',
    usedBy: 'invocation',
    own: true,
  }),
  SESSION_BUFFER_BYTES: integer({
    default: 67_108_864,
    min: 65_536,
    unit: 'bytes',
    meaning:
      'What the daemon holds for one session whose client reads slower than the plugin writes. Beyond it only that session fails.',
    usedBy: 'invocation',
    own: true,
  }),
  ANSWERS_MEMORY_BUDGET_BYTES: integer({
    ...budget(268_435_456),
    meaning:
      'What waits in memory for all clients that read slower than plugins write. Beyond it, and beyond 4 MiB of one client, it waits on the disk.',
    usedBy: 'http',
  }),
  UNFINISHED_LINES_BUDGET_BYTES: integer({
    ...budget(536_870_912),
    meaning:
      'What begun messages (lines) of all plugins may hold in memory together; one plugin, or the debugging plugins of one tenant, a quarter of it, at least one whole message. Beyond it that message fails its session.',
    usedBy: 'runtimes',
  }),
  PLUGIN_INPUT_BUDGET_BYTES: integer({
    ...budget(536_870_912),
    meaning:
      'What may wait for plugins that read slowly, for all together; one plugin half of it. Beyond it calls and answers to such plugins fail.',
    usedBy: 'runtimes',
  }),
  AGENT_FILES_BUDGET_BYTES: integer({
    ...budget(268_435_456),
    meaning:
      'What files that agents send in pieces may hold in memory together; one plugin half of it, one session a quarter. Beyond it the session fails.',
    usedBy: 'invocation',
  }),
  CALL_BACK_BUDGET_BYTES: integer({
    ...budget(536_870_912),
    meaning:
      'What requests of plugins to Dify and to their storage may hold in memory together while they are served; one plugin half of it. Beyond it such a request is refused.',
    usedBy: 'backwards-invocation',
  }),
  STORAGE_READ_BUDGET_BYTES: integer({
    ...budget(268_435_456),
    meaning:
      'What reads of plugin storage may hold in memory together, six times the bytes read; one plugin half of it. More reads wait; one that is larger than that waits until it is alone.',
    usedBy: 'backwards-invocation',
  }),
  PLUGIN_MAX_MESSAGE_BYTES: integer({
    default: 67_108_864,
    min: 65_536,
    unit: 'bytes',
    defaultText: '67108864, or the largest configured legacy buffer size if that is larger',
    meaning: 'Longest message (line) of a plugin. A longer one fails its session, not the plugin.',
    usedBy: 'runtimes',
    own: true,
  }),
  PLUGIN_RUNTIME_MAX_BUFFER_SIZE: integer({
    default: 5_242_880,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning:
      'Longest line in the existing daemon. Here it only raises `PLUGIN_MAX_MESSAGE_BYTES` when configured larger and that one is not configured.',
    usedBy: 'config',
  }),
  PLUGIN_STDIO_MAX_BUFFER_SIZE: integer({
    default: 5_242_880,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning: 'Older name of the same, passed by compose files: raises the limit, never lowers it.',
    usedBy: 'config',
  }),
  PLUGIN_RUNTIME_BUFFER_SIZE: integer({
    default: 1024,
    unit: 'bytes',
    meaning: 'First size of a read buffer that grows by itself here.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PLUGIN_STDIO_BUFFER_SIZE: integer({
    default: 1024,
    unit: 'bytes',
    meaning: 'Older name of the same.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PLUGIN_LOCAL_LAUNCHING_CONCURRENT: integer({
    default: 2,
    zeroIsDefault: true,
    meaning: 'How many plugins are prepared and started at the same time.',
    usedBy: 'supervision',
  }),
  PLUGIN_ENVIRONMENT_RETENTION: integer({
    default: 168,
    min: 0,
    unit: 'hours',
    meaning:
      'Python environments of plugin versions that no tenant has installed are removed when they are older than this; 0 keeps them for ever, as the existing daemon does.',
    usedBy: 'supervision',
    own: true,
  }),
  PLUGIN_ENV_PASSTHROUGH: list({
    default: [],
    meaning:
      "Names of further variables of the daemon's environment that plugin processes may see. They never see more than an allow-list (PATH, HOME, locale, proxies, certificates, Python and caches) and these.",
    usedBy: 'runtimes',
    own: true,
  }),
  PLUGIN_ENV_INHERIT_ALL: boolean({
    default: false,
    meaning:
      "Gives every plugin the daemon's whole environment, as the existing daemon does. Any plugin can then read the keys and passwords in it.",
    usedBy: 'runtimes',
    own: true,
  }),
  HTTP_PROXY: text({
    aliases: ['http_proxy'],
    secret: true,
    meaning: 'Proxy for plugins and for the package installer; also the lower-case name.',
    usedBy: 'environments, runtimes',
  }),
  HTTPS_PROXY: text({
    aliases: ['https_proxy'],
    secret: true,
    meaning: 'The same for https.',
    usedBy: 'environments, runtimes',
  }),
  NO_PROXY: text({ aliases: ['no_proxy'], meaning: 'Hosts without proxy.', usedBy: 'environments, runtimes' }),
  PLUGIN_ENDPOINT_ENABLED: boolean({
    default: true,
    meaning: 'Serves the webhooks of plugins under `/e/`.',
    usedBy: 'endpoints',
  }),
  PLUGIN_REMOTE_INSTALLING_ENABLED: boolean({
    default: true,
    meaning: 'Accepts plugins that developers run on their own machine (debugging).',
    usedBy: 'runtimes/debugging',
  }),
  PLUGIN_REMOTE_INSTALLING_HOST: text({
    default: '127.0.0.1',
    meaning:
      'Address the debugging server binds. Beyond this machine it demands a `SERVER_KEY` that no public compose file prints.',
    usedBy: 'runtimes/debugging',
  }),
  PLUGIN_REMOTE_INSTALLING_PORT: port({
    default: 5003,
    zeroIsDefault: true,
    meaning: 'Port of the debugging server.',
    usedBy: 'runtimes/debugging',
  }),
  PLUGIN_REMOTE_INSTALLING_MAX_CONN: integer({
    default: 256,
    zeroIsDefault: true,
    meaning: 'Debugging connections at the same time.',
    usedBy: 'runtimes/debugging',
  }),
  PLUGIN_REMOTE_INSTALLING_MAX_SINGLE_TENANT_CONN: integer({
    default: 0,
    meaning: 'Debugging connections of one tenant at the same time; 0 sets no limit.',
    usedBy: 'runtimes/debugging',
  }),
  PLUGIN_REMOTE_INSTALL_SERVER_EVENT_LOOP_NUMS: integer({
    default: 8,
    zeroIsDefault: true,
    meaning: 'Event loops of the debugging server; one suffices here.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PLUGIN_MODEL_INSTALLATIONS_CACHE_ENABLED: boolean({
    default: false,
    meaning: 'Redis copy of the model list; lists are fast without it.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PLUGIN_MODEL_INSTALLATIONS_CACHE_TTL: integer({
    default: 1440,
    zeroIsDefault: true,
    unit: 'min',
    meaning: 'Its life time.',
    usedBy: '–',
    status: 'no-effect',
  }),
  LIFETIME_COLLECTION_HEARTBEAT_INTERVAL: integer({
    default: 5,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Unused by the existing daemon as well.',
    usedBy: '–',
    status: 'no-effect',
  }),
  LIFETIME_COLLECTION_GC_INTERVAL: integer({
    default: 60,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Unused by the existing daemon as well.',
    usedBy: '–',
    status: 'no-effect',
  }),
  LIFETIME_STATE_GC_INTERVAL: integer({
    default: 300,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Unused by the existing daemon as well.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PLUGIN_WEBHOOK_ENABLED: text({
    default: '',
    meaning: 'Named in an example file of the existing daemon, read nowhere.',
    usedBy: '–',
    status: 'no-effect',
  }),
};
