import type { PythonEnvironmentsOptions } from './options.ts';

export async function fetchUv(_options: PythonEnvironmentsOptions, _signal: AbortSignal): Promise<string> {
  throw new Error('uv is not on this machine');
}
