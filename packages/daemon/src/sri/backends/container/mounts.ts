import { readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

/** A directory of this machine, at the same place in the container unless told otherwise. */
export interface ContainerMount {
  readonly Type: 'bind';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
}

export const mountOf = (
  path: string,
  options: { readonly at?: string; readonly writable?: boolean } = {},
): ContainerMount => ({
  Type: 'bind',
  Source: path,
  Target: options.at ?? path,
  ReadOnly: options.writable !== true,
});

/**
 * The installation of the interpreter that an environment was made with. One below /usr is the system's, which the image has to have:
 * it is the image's own Python then.
 */
export async function interpreterMounts(python: string): Promise<readonly ContainerMount[]> {
  const real = dirname(dirname(await realpath(python)));
  const link = await readlink(python).catch(() => undefined);
  const named = link === undefined ? real : dirname(dirname(isAbsolute(link) ? link : join(dirname(python), link)));
  const places = new Set([real, named].filter((place) => !isOfTheSystem(place)));
  return [...places].map((place) => mountOf(real, { at: place }));
}

const isOfTheSystem = (path: string): boolean => ['/', '/usr', '/usr/local'].includes(path);
