/** Names in the environment that look like a misspelt setting. */

/** A known name that differs by no more than a slip or two; undefined for names that are nobody's. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name);
  if (wanted.length < 6 || wanted.length > 100) return undefined;
  const limit = wanted.length < 8 ? 1 : 2;
  const letters = lettersOf(wanted);
  let nearest: string | undefined;
  let best = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) > limit) continue;
    // Nearly every pair of names differs in more letters than that; counting slips for all of them was a tenth of a daemon's start.
    if (bitsOf(letters ^ lettersOf(candidate)) > 2 * limit) continue;
    const distance = slips(wanted, candidate);
    if (distance < best) [best, nearest] = [distance, candidate];
  }
  return nearest;
}

/** Which letters are in a name, as bits; some share one. A slip changes two at most: a letter that is replaced by another. */
function lettersOf(name: string): number {
  let letters = 0;
  for (let i = 0; i < name.length; i++) letters |= 1 << (name.charCodeAt(i) & 31);
  return letters;
}

function bitsOf(number: number): number {
  let bits = 0;
  for (let left = number; left !== 0; left &= left - 1) bits++;
  return bits;
}

const plain = (name: string): string => name.toUpperCase().replaceAll('-', '_');

/** Letters to add, drop, replace or swap with their neighbour (optimal string alignment). */
function slips(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const ways = [(last[j - 1] ?? 0) + (same ? 0 : 1), (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1];
      if (swapped) ways.push((before[j - 2] ?? 0) + 1);
      row.push(Math.min(...ways));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
