/** `dify migrate`: the schema of the daemon's database brought up to date (section 12). */
import type { Call, Outcome } from '../command-line/types.ts';
import { CliError } from '../errors.ts';
import { locateDatabase, withDatabase } from './daemon-database.ts';

export async function run({ env, cwd, io }: Call): Promise<Outcome> {
  const location = await locateDatabase(env, cwd);
  try {
    await withDatabase(location, (database) => database.ping());
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(
      'migration',
      `failed to run migrations: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  io.debug('database', { file: location.file });
  return {
    text: 'database migration completed successfully',
    data: { file: location.file, created: !location.exists },
  };
}
