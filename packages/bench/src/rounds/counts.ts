/** Everything that a daemon may leave somewhere, counted from outside. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { descendants, residentMb } from '../load/index.ts';

/** What there is of each kind, by name. */
export type Counts = Readonly<Record<string, number>>;

export interface CountedPlace {
  /** DATA_DIR */
  readonly data: string;
  /** TMPDIR of the daemon. */
  readonly temporary: string;
}

/** What is kept on purpose: the log of who did what. */
const JOURNAL_TABLES = new Set(['audit_events']);
/** Of the installer: what it has fetched. Counted, but no business of a round. */
const CACHES = new Set(['.uv-cache']);
/** There is one each, written some time after the start: when plugins were used, and what the lock of the directory keeps beside it. */
const WRITTEN_LATER = new Set(['plugin-use.json', 'daemon.lock-journal']);
const DATABASE_FILE = /^daemon\.sqlite/;
const STORAGE = 'storage';
/** Each life has a folder there for what it is writing; those of lives that were killed go at a start an hour later. */
const BEING_WRITTEN = '.writing';
const GROUPS = '/sys/fs/cgroup';
const DEEPEST_GROUP = 6;

/** What a process that runs holds. */
export function processCounts(pid: number): Counts {
  const entries = (folder: string) => readdirSync(`/proc/${pid}/${folder}`).length;
  return { processes: descendants(pid).length, descriptors: entries('fd'), threads: entries('task') };
}

/** Processes that work below a directory, or were started from there: what they are. */
export function processesOf(directory: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (`${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${directory}/`) || command.includes(`${directory}/`))
        found.push(`${pid}: ${command}`);
    } catch {
      // Ended meanwhile, or not ours to look at.
    }
  }
  return found;
}

export const memoryOf = (pid: number): number => Math.round(residentMb(pid));

/** What lies on disk, in the database and in the kernel, whether the daemon runs or not. */
export function keptCounts({ data, temporary }: CountedPlace): Counts {
  return {
    ...filesBelow(data),
    'files in TMPDIR': entriesBelow(temporary),
    ...rows(join(data, 'daemon.sqlite')),
    'user ids': userIds(join(data, 'plugin-users.json')),
    'control groups': controlGroups(data),
  };
}

/** What comes when there is time for it, and is not left over: threads that read files, bytecode, and environments with it. */
export const MADE_LATER: ReadonlySet<string> = new Set([
  'threads',
  'files in the data directory',
  'files in cwd/.bytecode',
  'files in cwd/.environments',
]);

/** What is more than it was. */
export const grown = (before: Counts, after: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after)
      .map(([what, count]) => [what, count - (before[what] ?? 0)] as const)
      .filter(([, more]) => more > 0),
  );

/** Files and folders, by the place below the data directory. */
function filesBelow(data: string): Counts {
  const counts: Record<string, number> = {};
  const count = (name: string, more: number) => {
    counts[`files in ${name}`] = (counts[`files in ${name}`] ?? 0) + more;
  };
  for (const entry of readdirSync(data, { withFileTypes: true })) {
    if (DATABASE_FILE.test(entry.name) || WRITTEN_LATER.has(entry.name)) continue;
    if (!entry.isDirectory()) count('the data directory', 1);
    else if (entry.name === STORAGE) count(STORAGE, filesIn(join(data, STORAGE)));
    else if (entry.name !== 'cwd') count(entry.name, entriesBelow(join(data, entry.name)));
    else
      for (const name of readdirSync(join(data, 'cwd')))
        if (!CACHES.has(name))
          count(name.startsWith('.') ? `cwd/${name}` : 'cwd', 1 + entriesBelow(join(data, 'cwd', name)));
  }
  return counts;
}

const filesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.includes(BEING_WRITTEN),
  ).length;

function entriesBelow(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true }).length;
  } catch {
    return 0; // a file, or gone
  }
}

function rows(file: string): Counts {
  if (!existsSync(file)) return {};
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return Object.fromEntries(
      tables
        .map(({ name }) => String(name))
        .filter((name) => !JOURNAL_TABLES.has(name) && !name.startsWith('sqlite_'))
        .map((name) => [`rows in ${name}`, Number(database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.n)]),
    );
  } finally {
    database.close();
  }
}

function userIds(file: string): number {
  if (!existsSync(file)) return 0;
  const kept: { users?: object } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.keys(kept.users ?? {}).length;
}

/** Of plugins, below that of the daemon, which is named by its data directory. */
function controlGroups(data: string): number {
  const name = `plugin-daemon-${createHash('sha256').update(data).digest('hex').slice(0, 12)}`;
  let found = 0;
  const look = (folder: string, depth: number): void => {
    for (const inner of foldersIn(folder)) {
      if (inner === name) found += foldersIn(join(folder, inner)).length;
      else if (depth < DEEPEST_GROUP) look(join(folder, inner), depth + 1);
    }
  };
  look(GROUPS, 0);
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
  } catch {
    return []; // removed meanwhile, or not ours to look at
  }
}
