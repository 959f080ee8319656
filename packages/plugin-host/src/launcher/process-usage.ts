import { readFile } from 'node:fs/promises';
import type { ProcessUsage } from './process-launcher.ts';

/** The kernel reports times to user space in this unit on every Linux architecture (USER_HZ), in ticks per second. */
const TICKS_PER_SECOND = 100;
/** Bounds the walk should the tree change under it. */
const MAX_PROCESSES = 512;

/**
 * Processor time and memory of a process and its descendants from `/proc`, undefined when the process is gone or the
 * system has no `/proc`. Shared pages count once per process, as in `top`.
 * @param keepers processes to whom orphans of the tree fall; their children count, they themselves do not
 */
export async function readProcessTreeUsage(
  pid: number,
  keepers: readonly number[] = [],
): Promise<ProcessUsage | undefined> {
  const root = await readOne(pid);
  if (root === undefined) return undefined;
  let { cpuSeconds, rssBytes } = root.usage;
  const kept = (await Promise.all(keepers.map(readOne))).flatMap((keeper) => keeper?.children ?? []);
  const waiting = [...root.children, ...kept.filter((child) => child !== pid && !keepers.includes(child))];
  for (let seen = 1; seen < MAX_PROCESSES; seen++) {
    const next = waiting.pop();
    if (next === undefined) break;
    const child = await readOne(next);
    if (child === undefined) continue;
    cpuSeconds += child.usage.cpuSeconds;
    rssBytes += child.usage.rssBytes;
    waiting.push(...child.children);
  }
  return { cpuSeconds, rssBytes };
}

async function readOne(pid: number): Promise<{ usage: ProcessUsage; children: number[] } | undefined> {
  try {
    const [stat, status, children] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/status`, 'latin1'),
      // Missing on kernels built without CONFIG_PROC_CHILDREN: then only the process itself is counted.
      readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => ''),
    ]);
    return { usage: parseUsage(stat, status), children: children.split(' ').filter(Boolean).map(Number) };
  } catch {
    return undefined;
  }
}

/** `/proc/<pid>/stat` and `/proc/<pid>/status` to numbers. The command name may hold blanks and brackets: cut at the last `)`. */
export function parseUsage(stat: string, status: string): ProcessUsage {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc(5), counted from 1; the cut removed the first two.
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  const rss = /^VmRSS:\s*(\d+) kB$/m.exec(status);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes: Number(rss?.[1] ?? 0) * 1024 };
}
