/** `dify version`: the version alone on stdout, as the SDK's runner parses it (docs/wire/cli.md#callers). */
import type { Call, Outcome } from '../command.ts';
import { VERSION } from '../version.ts';

export async function run(_call: Call): Promise<Outcome> {
  return { text: VERSION, data: { version: VERSION } };
}
