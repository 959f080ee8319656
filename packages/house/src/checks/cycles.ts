import type { House } from '../house.ts';
import type { Check, Violation } from '../violation.ts';

/**
 * Files that import each other, also only for their types, also only when it is reached: none of them can be read, moved or tested without
 * the others. Each circle is reported once.
 */
export const cycles: Check = (house) => circles(house).map((circle) => violation(house, circle));

function violation(house: House, circle: readonly string[]): Violation {
  const [file = '', next = ''] = circle;
  const line = house.files.get(file)?.links.find(({ target }) => target === next)?.line ?? 1;
  return {
    file,
    line,
    rule: 'no-circles',
    found: `files import each other: ${[...circle, file].join(' → ')}`,
    remedy: 'move what both need into a file of its own, which imports neither',
  };
}

/** A shortest circle for each set of files that reach each other. */
function circles(house: House): string[][] {
  const reached = new Map<string, ReadonlySet<string>>();
  for (const path of house.files.keys()) reached.set(path, reachable(house, path));
  const found: string[][] = [];
  const done = new Set<string>();
  for (const path of [...house.files.keys()].sort()) {
    if (done.has(path) || reached.get(path)?.has(path) !== true) continue;
    const circle = shortestWay(house, path);
    found.push(circle);
    for (const other of reached.get(path) ?? []) if (reached.get(other)?.has(path)) done.add(other);
  }
  return found;
}

function reachable(house: House, from: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { target } of house.files.get(path)?.links ?? []) {
      if (!seen.has(target)) {
        seen.add(target);
        waiting.push(target);
      }
    }
  }
  return seen;
}

/** From a file back to itself, without the repetition at the end. */
function shortestWay(house: House, start: string): string[] {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const { target } of house.files.get(way.at(-1) ?? '')?.links ?? []) {
      if (target === start) return way;
      if (seen.has(target)) continue;
      seen.add(target);
      ways.push([...way, target]);
    }
  }
  return [start];
}
