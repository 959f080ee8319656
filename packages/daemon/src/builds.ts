/**
 * Bundles of the daemon beside each other: `dist/<build>/`, each named by its content, and `dist/main.js`, which leads to the latest.
 *
 * A daemon loads worker threads and large libraries long after its start. An upgrade in place must not give it those of another
 * version, nor take its own away: whoever runs from a build says so by the time of its directory, and what nobody has run from for a
 * day is removed by a later build, except the one before, to which somebody may go back.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimes, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOUR_MS = 3_600_000;
const KEPT_MS = 24 * HOUR_MS;
const BUILD = /^[0-9a-f]{16}$/;

/** Characters of a hash that name a build. */
export const BUILD_NAME_LENGTH = 16;

/** Says as long as this process runs that it needs the files of this build. */
export function holdBuild(directory: string): void {
  const touch = () => {
    const now = new Date();
    // Where another user has made it, that user's builds keep it for a day, and the latest two for good.
    utimes(directory, now, now, () => undefined);
  };
  touch();
  setInterval(touch, HOUR_MS).unref();
}

/** A build that was just made is in use from now on. */
export function markMade(directory: string): void {
  const now = new Date();
  try {
    utimesSync(directory, now, now);
  } catch {
    // Made by another user before; whoever runs from it stands below the same rule as any daemon (holdBuild).
  }
}

/** Writes a file whole: another build may be made, and daemons started, at the same time. One that is there is left to its owner. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  if (!hasContents(path, contents)) replace(path, contents);
}

/**
 * Writes a file whole, also when it says the same already: by the time of `dist/main.js` start.mjs knows which sources have changed
 * since, and would build at every start where sources are younger and say the same.
 */
export function writeAnew(path: string, contents: string | Uint8Array): void {
  try {
    replace(path, contents);
  } catch (error) {
    // Another user's in a directory where only its owner replaces a file; it is right nevertheless.
    if (!hasContents(path, contents)) throw error;
  }
}

function replace(path: string, contents: string | Uint8Array): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, contents);
  try {
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

function hasContents(path: string, contents: string | Uint8Array): boolean {
  try {
    return readFileSync(path).equals(Buffer.from(contents));
  } catch {
    return false; // It is not there, or cannot be read.
  }
}

/**
 * Removes what nobody needs any more.
 * @param latest the name of the build that was just made
 * @returns what could not be removed, such as what another user has made; it is tried again by the next build
 */
export function removeOldBuilds(
  dist: string,
  latest: string,
  { now = Date.now(), remove = rmSync }: { readonly now?: number; readonly remove?: typeof rmSync } = {},
): readonly { readonly path: string; readonly error: unknown }[] {
  const others = readdirSync(dist)
    .filter((name) => name !== latest && name !== 'main.js' && name !== 'package.json')
    // Another build at the same time may have removed it.
    .map((name) => ({ name, usedAt: statSync(join(dist, name), { throwIfNoEntry: false })?.mtimeMs ?? now }));
  const builds = others.filter(({ name }) => BUILD.test(name)).toSorted((a, b) => b.usedAt - a.usedAt);
  const before = builds[0]?.name;
  return others.flatMap(({ name, usedAt }) => {
    if (name === before || usedAt >= now - KEPT_MS) return [];
    const path = join(dist, name);
    try {
      remove(path, { force: true, recursive: true });
      return [];
    } catch (error) {
      return [{ path, error }];
    }
  });
}
