import { messageOf } from '@plugin-daemon/values';
import type { Cage, ProcessLauncher } from '../launcher/index.ts';
import { CageUnavailable, HelperShortage } from '../launcher/index.ts';
import { type IsolationMode, modes } from './modes.ts';

export interface Probed {
  /** undefined: none of those that were tried works. */
  readonly mode: IsolationMode | undefined;
  /** Why better ones are not in force, by mode. */
  readonly refused: readonly { readonly mode: IsolationMode; readonly reason: string }[];
}

/**
 * Finds the best mode by starting something in it: what a kernel, a container or a security module refuses shows only then.
 * @param cageOf the cage of a mode
 * @throws HelperShortage: nothing could be tried, which refuses nothing
 */
export async function probe(
  launcher: ProcessLauncher,
  tried: readonly IsolationMode[],
  cageOf: (mode: IsolationMode) => Cage,
): Promise<Probed> {
  const refused: { mode: IsolationMode; reason: string }[] = [];
  for (const mode of tried) {
    try {
      await tryOut(launcher, cageOf(mode));
      return { mode, refused };
    } catch (error) {
      if (error instanceof HelperShortage) throw error;
      const reason = messageOf(error);
      refused.push({ mode, reason });
      if (error instanceof CageUnavailable && tried.includes('none')) return { mode: 'unsupervised', refused };
    }
  }
  return { mode: undefined, refused };
}

async function tryOut(launcher: ProcessLauncher, cage: Cage): Promise<void> {
  const tried = await launcher.launch({
    command: '/bin/sh',
    args: ['-c', ': && exit 0'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    cage,
  });
  tried.stdout.resume();
  tried.stderr.resume();
  const { code, signal } = await tried.exited;
  if (code !== 0) throw new Error(`a process that was tried ended with ${signal ?? `exit code ${code}`}`);
}

/** The reasons in one sentence. */
export const describeRefusals = ({ refused }: Probed): string =>
  refused.map(({ mode, reason }) => `${modes[mode].meaning}: ${reason}`).join('; ');
