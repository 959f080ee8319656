/** `dify migrate`: the schema of the daemon's database brought up to date (docs/wire/cli.md#migrate). */
import { existsSync } from 'node:fs';
import { messageOf } from '@plugin-daemon/values';
import type { Call, Outcome } from '../command.ts';
import { CliError } from '../errors.ts';
import { locateDatabase, withDatabase } from './daemon-database.ts';

export async function run({ env, cwd, io }: Call): Promise<Outcome> {
  const location = locateDatabase(env, cwd);
  const { dataDirectory, databaseFile, named } = location.daemon;
  // A folder without settings and without data is no daemon's: a database made there would be nobody's.
  if (!location.exists && !named && !existsSync(dataDirectory))
    throw new CliError(
      'no-database',
      `nothing was migrated and nothing made: there is no database at ${databaseFile}`,
      {
        remedy:
          'run it in the folder of the daemon, or name its data folder with DATA_DIR (a new database is then made there); a daemon migrates its database itself when it starts',
      },
    );
  try {
    await withDatabase(location, (database) => database.ping());
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('migration', `failed to run migrations: ${messageOf(error)}`, { cause: error });
  }
  io.debug('database', { file: databaseFile });
  return {
    text: 'database migration completed successfully',
    data: { file: databaseFile, created: !location.exists },
  };
}
