import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface GroupPlace {
  /** Made by us, for nobody else; groups of plugins are its children. */
  readonly directory: string;
  readonly version: 1 | 2;
}

/** Where groups with a controller can be made; `tracking` is any place, for ending all members at once. */
export interface GroupPlaces {
  readonly memory?: GroupPlace | undefined;
  readonly pids?: GroupPlace | undefined;
  readonly cpu?: GroupPlace | undefined;
  readonly tracking?: GroupPlace | undefined;
}

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
type Controller = (typeof CONTROLLERS)[number];
/** Where the daemon itself goes when its own group has to be without processes. */
const DAEMON_LEAF = 'plugin-daemon-main';

interface Hierarchy {
  /** The daemon's own group. */
  readonly own: string;
  readonly version: 1 | 2;
  readonly controllers: ReadonlySet<string>;
}

/** @param clear ends and removes what is left of a former life in a directory */
export async function findPlaces(folder: string, clear: (directory: string) => Promise<void>): Promise<GroupPlaces> {
  if (process.platform !== 'linux') return {};
  const hierarchies = await readHierarchies();
  const places: Partial<Record<Controller | 'tracking', GroupPlace>> = {};
  for (const hierarchy of hierarchies) {
    const wanted = CONTROLLERS.filter((one) => hierarchy.controllers.has(one) && places[one] === undefined);
    if (hierarchy.version === 1 && wanted.length === 0) continue;
    const directory = join(hierarchy.own, folder);
    await clear(directory);
    try {
      await mkdir(directory);
    } catch {
      continue; // read-only, as in most containers, or somebody else's
    }
    const place: GroupPlace = { directory, version: hierarchy.version };
    const usable = hierarchy.version === 1 ? wanted : await enable(hierarchy, directory, wanted);
    for (const one of usable) places[one] = place;
    if (hierarchy.version === 2 || places.tracking === undefined) places.tracking = place;
  }
  return places;
}

/** Version 2 first: where it has the controllers, version 1 has not. */
async function readHierarchies(): Promise<Hierarchy[]> {
  const [mounts, own] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
    readFile('/proc/self/cgroup', 'utf8').catch(() => ''),
  ]);
  return parseHierarchies(mounts, own, (path) => readFile(path, 'utf8').catch(() => ''));
}

/** @param mounts the text of `/proc/self/mountinfo` @param own that of `/proc/self/cgroup` */
export async function parseHierarchies(
  mounts: string,
  own: string,
  read: (path: string) => Promise<string>,
): Promise<Hierarchy[]> {
  const found: Hierarchy[] = [];
  const groups = own.split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(',').filter((name) => name !== ''), path: path.join(':') };
  });
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', mountPoint = ''] = before.split(' ');
    const [kind, , options = ''] = after.split(' ');
    if (kind !== 'cgroup' && kind !== 'cgroup2') continue;
    const names = new Set(options.split(','));
    const group = groups.find(({ controllers }) =>
      kind === 'cgroup2' ? controllers.length === 0 : controllers.some((name) => names.has(name)),
    );
    if (group === undefined) continue;
    const below = root !== '/' && group.path.startsWith(root) ? group.path.slice(root.length) : group.path;
    const directory = resolve(join(mountPoint, below));
    const controllers =
      kind === 'cgroup2' ? (await read(join(directory, 'cgroup.controllers'))).trim().split(' ') : group.controllers;
    found.push({
      own: directory,
      version: kind === 'cgroup2' ? 2 : 1,
      controllers: new Set(controllers.filter((name) => name !== '')),
    });
  }
  return found.sort((a, b) => b.version - a.version);
}

/** Hands controllers down to the children of `directory`. Returns those that work. */
async function enable(hierarchy: Hierarchy, directory: string, wanted: readonly Controller[]): Promise<Controller[]> {
  const usable: Controller[] = [];
  for (const one of wanted) {
    const done = (await hand(hierarchy.own, one)) || (await makeRoom(hierarchy.own, one));
    if (done && (await hand(directory, one))) usable.push(one);
  }
  return usable;
}

async function hand(directory: string, controller: Controller): Promise<boolean> {
  try {
    await writeFile(join(directory, 'cgroup.subtree_control'), `+${controller}`);
    return true;
  } catch {
    return false;
  }
}

/**
 * A group with processes cannot hand controllers down: they go into a leaf of their own. That is for the one to whom the group was
 * delegated, so only if all of them are the daemon's family.
 */
async function makeRoom(own: string, controller: Controller): Promise<boolean> {
  try {
    const members = (await readFile(join(own, 'cgroup.procs'), 'utf8')).split('\n').filter((line) => line !== '');
    const family = await ancestors(process.pid);
    for (const member of members) {
      const line = await ancestors(Number(member));
      if (!family.has(Number(member)) && !line.has(process.pid)) return false;
    }
    const leaf = join(own, DAEMON_LEAF);
    await mkdir(leaf, { recursive: true });
    for (const member of members) await writeFile(join(leaf, 'cgroup.procs'), member);
    return await hand(own, controller);
  } catch {
    return false;
  }
}

/** A process and its parents. */
async function ancestors(pid: number): Promise<Set<number>> {
  const found = new Set<number>();
  for (let current = pid; current > 0 && !found.has(current); ) {
    found.add(current);
    const stat = await readFile(`/proc/${current}/stat`, 'latin1').catch(() => '');
    current = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return found;
}
