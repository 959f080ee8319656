/** A plugin's log for the person at the terminal. */
import type { Io } from '../output/io.ts';

export function logPrinter(io: Io): (level: string, message: string) => void {
  return (level, message) => {
    const word = level.toLowerCase();
    const paint =
      word === 'error' || word === 'critical'
        ? io.colors.red
        : word.startsWith('warn')
          ? io.colors.yellow
          : io.colors.dim;
    io.rawStderr(word === 'stderr' ? `${message}\n` : `${paint(`[${word}]`)} ${message}\n`);
  };
}
