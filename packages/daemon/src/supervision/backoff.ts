/** Pauses between restarts: short at first, longer with every failure, never without end and never in step. */

const FIRST_MS = 500;
const LONGEST_MS = 5 * 60_000;
/** A plugin that ran this long had started well: its next end begins a new count. */
export const STEADY_MS = 60_000;

/** @param failures how many starts or runs have failed in a row, this one included */
export function restartDelayMs(failures: number, random: () => number = Math.random): number {
  if (failures <= 1) return 0;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 2));
  return Math.round(full * (0.5 + random() / 2));
}
