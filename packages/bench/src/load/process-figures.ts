/** Memory and processor time of a process and its children, from /proc (Linux; elsewhere everything reads as 0). */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const CLOCK_TICKS_PER_SECOND = 100;
const RESET_PEAK = '5';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function megabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Resident memory now, in MB (2^20 bytes). */
export const residentMb = (pid: number): number => megabytes(pid, 'VmRSS');

/** Memory in MB, shared pages divided by the number of processes that share them. */
export const proportionalMb = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;

/** Memory that no other process shares, in MB. */
export const privateMb = (pid: number): number =>
  [...read(`/proc/${pid}/smaps_rollup`).matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce(
    (sum, [, kilobytes]) => sum + Number(kilobytes) / 1024,
    0,
  );

/** Largest resident memory since `resetPeak`, in MB. */
export const peakMb = (pid: number): number => megabytes(pid, 'VmHWM');

export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
  } catch {
    // Without the right to reset it, the peak is the one since the start of the process: too high, never too low.
  }
}

function fields(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Seconds of processor time, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = fields(pid);
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / CLOCK_TICKS_PER_SECOND;
}

export function descendants(pid: number): number[] {
  const byParent = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(fields(Number(name))[1] ?? 0);
    byParent.set(parent, [...(byParent.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const visit = (parent: number) => {
    for (const child of byParent.get(parent) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}
