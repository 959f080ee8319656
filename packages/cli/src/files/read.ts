/** Reading what somebody names: a pipe that nobody writes to or a device without an end would hold the command up for ever. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { CliError } from '../errors.ts';

/** What a shell puts in the place of `<(command)` and of standard input: a pipe that somebody writes to. */
const OF_SHELL = /^\/(?:dev\/fd|proc\/self\/fd)\/\d+$|^\/dev\/stdin$/;

/** @throws CliError for what is no file; errors of the system as they are */
export async function readNamedFile(path: string): Promise<Buffer> {
  requireFile(path, await stat(path));
  return readFile(path);
}

/** @throws as `readNamedFile` */
export function readNamedFileSync(path: string): Buffer {
  requireFile(path, statSync(path));
  return readFileSync(path);
}

function requireFile(path: string, info: Stats): void {
  // Folders are told by the reading itself.
  if (info.isFile() || info.isDirectory() || (info.isFIFO() && OF_SHELL.test(path))) return;
  const kind = info.isFIFO() ? 'a pipe' : info.isSocket() ? 'a socket' : 'a device';
  throw new CliError('not-a-file', `${path} is ${kind}, not a file`, {
    file: path,
    remedy: 'write its content to a file and name that',
  });
}
