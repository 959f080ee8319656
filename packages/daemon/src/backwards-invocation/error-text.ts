import { DaemonError } from '../errors/index.ts';

/** What a plugin is told of a failure: what happened, and the remedy where there is one. */
export function errorText(error: unknown): string {
  if (error instanceof DaemonError) return error.wireMessage;
  return error instanceof Error ? error.message : String(error);
}
