import { choice, integer, path } from './setting.ts';

const usedBy = 'supervision';
const common = { usedBy, own: true } as const;

/** How many processes plugins get, and when they sleep. All are ours: the existing daemon runs one process of each version, always. */
export const scalingSettings = {
  DEPLOYMENT_PROFILE: choice(
    { auto: 'auto', laptop: 'laptop', server: 'server' },
    {
      ...common,
      default: 'auto',
      meaning:
        'What the defaults below suit: `laptop` saves memory (plugins sleep when nobody calls them, one process each), `server` saves waiting (plugins stay awake, up to one process for each of at most 4 cores). `auto` is `laptop` with SQLite, else `server`.',
    },
  ),
  PLUGIN_IDLE_STOP_SECONDS: integer({
    ...common,
    default: 300,
    unit: 's',
    defaultText: '`300` on a laptop, `0` on a server',
    meaning:
      'A plugin that was not called for this long is stopped, beyond its minimum of processes; the next call starts it again and waits for it. 0: it is never stopped.',
  }),
  PLUGIN_INSTANCES_MIN: integer({
    ...common,
    default: 0,
    max: 64,
    meaning:
      'Processes of each plugin that run whether anybody calls or not. 1 for a plugin that works without being called (threads, queues, connections of its own).',
  }),
  PLUGIN_INSTANCES_MAX: integer({
    ...common,
    default: 1,
    min: 1,
    max: 64,
    defaultText: '`1` on a laptop, the number of cores but at most `4` on a server',
    meaning:
      'Processes of each plugin at most. A second one is started when the first has more open calls than `PLUGIN_INSTANCE_CALLS_TARGET`, or when its calls take twice as long as they do alone.',
  }),
  PLUGIN_INSTANCE_CALLS_TARGET: integer({
    ...common,
    default: 4,
    min: 1,
    meaning:
      'Open calls that one process is meant to bear while there may be more processes; a call beyond it waits up to 2 s for another process.',
  }),
  PLUGIN_INSTANCE_CALLS_MAX: integer({
    ...common,
    default: 10_000,
    min: 1,
    meaning:
      'Open calls of one process at most; more wait. The SDK works on 1000 at once, or on as many as `MAX_WORKER` says, and lets the others wait inside.',
  }),
  PLUGIN_QUEUE_MAX: integer({
    ...common,
    default: 10_000,
    meaning: 'Calls of one plugin that may wait for a process; more are refused with 429 and `Retry-After`.',
  }),
  PLUGIN_CALLS_PER_MINUTE: integer({
    ...common,
    usedBy: 'invocation',
    default: 0,
    meaning:
      'Calls that a tenant may make of one plugin in a minute, on each node; more are answered with 429 and `InvokeRateLimitError`. 0 sets no limit.',
  }),
  PLUGIN_BREAKER_FAILURES: integer({
    ...common,
    usedBy: 'invocation',
    default: 0,
    meaning:
      'After so many calls of a tenant to one plugin failed in a row, its further ones are refused for a while with 503 and `Retry-After`; then one tries. 0: never.',
  }),
  PLUGIN_BREAKER_OPEN_SECONDS: integer({
    ...common,
    usedBy: 'invocation',
    default: 30,
    min: 1,
    unit: 's',
    meaning: 'How long they are refused.',
  }),
  PLUGIN_POLICY_FILE: path({
    ...common,
    default: 'plugin-policies.json',
    defaultText: '`DATA_DIR/plugin-policies.json`',
    meaning:
      'A JSON file that says these things of single plugins: plugin id → `min`, `max`, `idle_seconds`, `calls_target`, `calls_max`, `queue_max`, `calls_per_minute`, `breaker_failures`, `breaker_open_seconds`. Read again within half a minute after it has changed; `PUT /admin/plugins/policies` counts more.',
  }),
  PLUGIN_STUCK_SECONDS: integer({
    ...common,
    default: 60,
    min: 15,
    unit: 's',
    meaning:
      'A process with open calls that says nothing for this long, not even its heartbeat (every 10 s), is replaced: new calls go to the new one, open ones may finish.',
  }),
};
