import { accessSync, constants, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps servers that are not meant to be started by hand; the newest PostgreSQL first. */
const places = (): readonly string[] => [
  ...globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })),
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/lib/podman',
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
];

export function findExecutable(name: string): string | undefined {
  return places()
    .map((place) => join(place, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** `TEST_SERVERS=no`: tests do without servers, as on a machine that has none. */
export const areServersLeftOut = (): boolean => process.env.TEST_SERVERS === 'no';

/** @throws when it is not installed */
export function executable(name: string): string {
  const found = findExecutable(name);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}
