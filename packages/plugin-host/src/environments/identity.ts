import { stat } from 'node:fs/promises';

/**
 * Tells what stands at a path from what stood there before. File systems give the number of what was just deleted to what is made
 * next, so the time of its making belongs to it.
 * @throws when nothing is there
 */
export async function identityOf(path: string): Promise<string> {
  const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
  return `${dev}:${ino}:${birthtimeNs}`;
}
