import { choice, decimal, InvalidValue, integer, list, setting } from './setting.ts';

const own = { usedBy: 'isolation', own: true } as const;

const LARGEST_UID = 2 ** 32 - 2;

/** What holds plugins in: what they can see and touch, and how much they can use. */
export const isolationSettings = {
  PLUGIN_ISOLATION: choice(
    { auto: 'auto', uid: 'uid', namespace: 'namespace', none: 'none' },
    {
      ...own,
      default: 'auto',
      meaning:
        "`uid`: a user id for every plugin version, and its own view of files and processes where the daemon may make one; for daemons that run as root. `namespace`: such a view is a must; without root it is made in a user namespace. `auto`: the best that is possible, with a warning where that is nothing. `none`: plugins are the daemon's equals and can read its keys.",
    },
  ),
  PLUGIN_UID_RANGE: setting(
    'text',
    (raw) => {
      const match = /^(\d{1,10})-(\d{1,10})$/.exec(raw);
      const [first, last] = [Number(match?.[1]), Number(match?.[2])];
      if (match === null || first < 1000 || last < first || last > LARGEST_UID)
        throw new InvalidValue(
          'is not a range of user ids from 1000 on',
          'write it as first-last, such as 50000-59999',
        );
      return { first, last };
    },
    {
      ...own,
      default: { first: 50_000, last: 59_999 },
      defaultText: '`50000-59999`',
      meaning:
        'User ids for plugin versions, also used as group ids. Ids in `/etc/passwd` and `/etc/group` are left out; no other program should use the range.',
    },
  ),
  PLUGIN_READABLE_PATHS: list({
    ...own,
    default: [],
    meaning:
      'Further files and directories that plugins with a view of their own may read, such as models or fonts; the system directories, and those that variables such as `HF_HOME` or `SSL_CERT_FILE` name, are there anyway.',
  }),
  PLUGIN_WRITABLE_PATHS: list({
    ...own,
    default: [],
    meaning: 'The same for writing, as far as the modes of the files let them.',
  }),
  PLUGIN_MEMORY_FACTOR: decimal({
    ...own,
    default: 4,
    meaning: "A plugin process may use this many times the manifest's `resource.memory`; 0 sets no limit.",
  }),
  PLUGIN_MEMORY_FLOOR: integer({
    ...own,
    default: 1_073_741_824,
    unit: 'bytes',
    meaning: 'No limit of memory is lower than this: many manifests name far less than Python needs.',
  }),
  PLUGIN_MAX_PROCESSES: integer({
    ...own,
    default: 4096,
    meaning: 'Processes and threads of a plugin at the same time; 0 sets no limit.',
  }),
  PLUGIN_MAX_OPEN_FILES: integer({
    ...own,
    default: 4096,
    meaning: 'Open files and connections of each process of a plugin; 0 sets no limit.',
  }),
  PLUGIN_MAX_FILE_BYTES: integer({
    ...own,
    default: 4_294_967_296,
    unit: 'bytes',
    meaning: 'Largest file a plugin can write; 0 sets no limit.',
  }),
  PLUGIN_CPU_PERCENT: integer({
    ...own,
    default: 0,
    unit: '%',
    meaning:
      'Processor time of a plugin in percent of one core, where control groups can be used; 0 sets no limit. Without control groups plugins run at a lower priority than the daemon.',
  }),
};
