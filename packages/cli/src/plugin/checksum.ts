/** `plugin checksum`: the hex digits alone on stdout, the log line on stderr as before (docs/wire/cli.md#plugin-checksum). */
import type { Call, Outcome } from '../command.ts';
import { checksumOfSource, declarationOf, identifierOf, openSource } from '../source/source.ts';

export async function run({ args, io, signal }: Call): Promise<Outcome> {
  const source = await openSource(args[0] ?? '', signal);
  const { declaration } = declarationOf(source);
  const checksum = checksumOfSource(source);
  io.info('plugin checksum', { checksum });
  return { text: checksum, data: { checksum, unique_identifier: identifierOf(declaration, checksum) } };
}
