import type { EnvironmentLog } from '../options.ts';

export async function patchSdk(
  _environment: string,
  _log: EnvironmentLog,
): Promise<{ sdk: string | null; patched: string[] }> {
  return { sdk: null, patched: [] };
}
