/** `dify version`: the version alone on stdout, as the SDK's runner parses it (docs/wire/cli.md#callers). */
import metadata from '../../package.json' with { type: 'json' };
import type { Call, Outcome } from './types.ts';

export const VERSION: string = metadata.version;

export async function run(_call: Call): Promise<Outcome> {
  return { text: VERSION, data: { version: VERSION } };
}
