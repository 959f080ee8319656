import { readFileSync } from 'node:fs';

/** Hard limits of this process, which no container can go beyond on the same machine; undefined where there is none or none is told. */
export function ownLimits(): { readonly processes: number | undefined; readonly openFiles: number | undefined } {
  let text = '';
  try {
    text = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Not Linux: the engine lives in a machine of its own.
  }
  const hard = (name: string): number | undefined => {
    const value = Number(new RegExp(`^${name}\\s+\\S+\\s+(\\d+)\\s`, 'm').exec(text)?.[1]);
    return Number.isSafeInteger(value) ? value : undefined;
  };
  return { processes: hard('Max processes'), openFiles: hard('Max open files') };
}
