import { execFileSync } from 'node:child_process';
import { executable } from './executables.ts';

/** Database servers refuse to run as root: then they run as the user that their package made. */
export function asServer(user: string, command: readonly string[]): readonly [string, ...string[]] {
  const [program, ...rest] = command;
  if (program === undefined) throw new Error('no command');
  if (process.getuid?.() !== 0) return [program, ...rest];
  return [executable('setpriv'), '--reuid', user, '--regid', user, '--init-groups', '--no-new-privs', program, ...rest];
}

/** Gives the directory, with what is in it, to that user. */
export function giveTo(user: string, directory: string): void {
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${user}:`, directory]);
}
