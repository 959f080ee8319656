/**
 * The one with the least to do; of several the one that stands first after `from`, so that equals take turns.
 * Linear, without allocating: for the few instances of one machine.
 * @param from any whole number, such as a count of the calls so far
 * @returns undefined when there is none
 */
export function leastLoaded<T>(candidates: readonly T[], loadOf: (one: T) => number, from = 0): T | undefined {
  const count = candidates.length;
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < count; n++) {
    const one = candidates[(from + n) % count];
    if (one === undefined) continue;
    const load = loadOf(one);
    if (load < least) {
      least = load;
      best = one;
    }
  }
  return best;
}

/**
 * The less loaded of two that chance names. Nearly as even as the least loaded of all, in constant time; and where loads are known late,
 * as those of other machines, better than it: not everybody runs to the same one.
 * @param random a number from 0 up to, but not including, 1
 */
export function twoChoices<T>(
  candidates: readonly T[],
  loadOf: (one: T) => number,
  random: () => number = Math.random,
): T | undefined {
  const count = candidates.length;
  if (count <= 1) return candidates[0];
  const first = Math.floor(random() * count);
  // One of the others, each as likely.
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const [one, other] = [candidates[first], candidates[second]];
  if (one === undefined || other === undefined) return one ?? other;
  return loadOf(other) < loadOf(one) ? other : one;
}
