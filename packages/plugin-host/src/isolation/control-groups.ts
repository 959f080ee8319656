import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cage } from '../launcher/index.ts';
import { findPlaces, type GroupPlaces } from './control-group-places.ts';

export interface GroupLimits {
  readonly memoryBytes: number | undefined;
  readonly processes: number | undefined;
  readonly cpuPercent: number | undefined;
}

export interface ControlGroup extends Pick<Cage, 'memoryGroup'> {
  readonly groups: readonly string[];
  /** Which of the limits asked for the kernel holds. */
  readonly holds: { readonly memory: boolean; readonly processes: boolean; readonly cpu: boolean };
  /** Removes what the shepherd has left. */
  remove(): Promise<void>;
}

const CPU_PERIOD = 100_000;
const REMOVE_ATTEMPTS = 50;
const REMOVE_PAUSE_MS = 20;

/**
 * Control groups for plugin processes, below the daemon's own: version 2 where it was delegated to us, version 1 where it is mounted
 * and writable, each controller for itself. What a killed daemon has left is ended and removed at the opening.
 */
export class ControlGroups {
  readonly #places: GroupPlaces;
  #count = 0;

  /** @param name tells daemons on one machine apart; the same after a restart */
  static async open(name: string): Promise<ControlGroups> {
    const folder = `plugin-daemon-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
    return new ControlGroups(await findPlaces(folder, clear));
  }

  private constructor(places: GroupPlaces) {
    this.#places = places;
  }

  /** What the kernel can limit here, for the log. */
  get controllers(): readonly string[] {
    const { memory, pids, cpu } = this.#places;
    return [memory && 'memory', pids && 'pids', cpu && 'cpu'].filter((name) => name !== undefined);
  }

  /** A new group for one process. A limit that cannot be set is one that the kernel does not hold; never rejects. */
  async create(limits: GroupLimits): Promise<ControlGroup> {
    const name = String(++this.#count);
    const { memory, pids, cpu, tracking } = this.#places;
    const made = new Set<string>();
    const group = async (place: { readonly directory: string } | undefined): Promise<string | undefined> => {
      if (place === undefined) return undefined;
      const directory = join(place.directory, name);
      if (made.has(directory)) return directory;
      try {
        await mkdir(directory, { recursive: true });
      } catch {
        return undefined;
      }
      made.add(directory);
      return directory;
    };
    await group(tracking);
    const memoryDirectory = limits.memoryBytes === undefined ? undefined : await group(memory);
    const memoryHeld =
      memory !== undefined && memoryDirectory !== undefined && limits.memoryBytes !== undefined
        ? await setMemory(memoryDirectory, memory.version, limits.memoryBytes)
        : false;
    const pidsDirectory = limits.processes === undefined ? undefined : await group(pids);
    const processes = await set(pidsDirectory, 'pids.max', limits.processes);
    const cpuDirectory = limits.cpuPercent === undefined ? undefined : await group(cpu);
    const quota = limits.cpuPercent === undefined ? undefined : Math.round((limits.cpuPercent / 100) * CPU_PERIOD);
    const cpuHeld =
      cpu?.version === 2
        ? await set(cpuDirectory, 'cpu.max', quota === undefined ? undefined : `${quota} ${CPU_PERIOD}`)
        : (await set(cpuDirectory, 'cpu.cfs_period_us', quota === undefined ? undefined : CPU_PERIOD)) &&
          (await set(cpuDirectory, 'cpu.cfs_quota_us', quota));
    const groups = [...made];
    return {
      groups,
      holds: { memory: memoryHeld, processes, cpu: cpuHeld },
      ...(memoryHeld &&
        memory !== undefined &&
        memoryDirectory !== undefined && { memoryGroup: { directory: memoryDirectory, version: memory.version } }),
      remove: async () => {
        await Promise.all(groups.map(removeGroup));
      },
    };
  }

  async close(): Promise<void> {
    const all = new Set(Object.values(this.#places).flatMap((place) => (place === undefined ? [] : [place.directory])));
    await Promise.all([...all].map(clear));
  }
}

async function setMemory(directory: string, version: 1 | 2, bytes: number): Promise<boolean> {
  if (version === 1) {
    const held = await set(directory, 'memory.limit_in_bytes', bytes);
    await set(directory, 'memory.memsw.limit_in_bytes', bytes);
    return held;
  }
  const held = await set(directory, 'memory.max', bytes);
  await set(directory, 'memory.swap.max', 0);
  await set(directory, 'memory.oom.group', 1);
  return held;
}

async function set(directory: string | undefined, file: string, value: string | number | undefined): Promise<boolean> {
  if (directory === undefined || value === undefined) return false;
  try {
    await writeFile(join(directory, file), String(value));
    return true;
  } catch {
    return false;
  }
}

/** Ends what is in a group and its children, and removes them all. */
async function clear(directory: string): Promise<void> {
  const names = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const name of names) if (name.isDirectory()) await clear(join(directory, name.name));
  await removeGroup(directory);
}

async function removeGroup(directory: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    try {
      return await rmdir(directory);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    }
    for (const pid of await members(directory)) killQuietly(pid);
    await sleep(REMOVE_PAUSE_MS);
  }
}

async function members(directory: string): Promise<number[]> {
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (Number(line) > 1 ? [Number(line)] : []));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
