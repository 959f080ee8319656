import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { type ProgramDescription, readArguments, refusal } from '@plugin-daemon/values/program-arguments';
import { databaseOptions } from './compose/index.ts';
import { layoutOf, loadSettings, lockDataDirectory } from './config/index.ts';
import { type DatabaseOptions, parsePlace, type TransferReport, transfer } from './database/index.ts';

const program = {
  name: 'npm run migrate-store',
  about: `Moves an installation to another database: every row of the daemon's tables, in one transaction, compared afterwards. The source is not changed. Stop every daemon that uses either of them first. Objects (packages, assets, storage of plugins) stay where they are.

PLACE is one of
  settings            what the settings name (environment and .env)
  sqlite:PATH         a file
  postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=…
  mysql://…           MySQL or MariaDB, in the same form
  env:NAME            the place in that environment variable: passwords on the command line are seen by others`,
  options: {
    from: { type: 'string', takes: 'PLACE', help: 'where it is' },
    to: { type: 'string', takes: 'PLACE', help: 'where it is to be' },
    'dry-run': { type: 'boolean', default: false, help: 'reads and checks everything, counts, and changes nothing' },
  },
} as const satisfies ProgramDescription;

/** `migrate-store`: prints what was moved; the exit status is 1 when nothing was, 2 for wrong arguments. */
export async function migrateStore(args: readonly string[]): Promise<number> {
  const asked = readArguments(program, args);
  if ('text' in asked) {
    (asked.exitCode === 0 ? process.stdout : process.stderr).write(asked.text);
    return asked.exitCode;
  }
  const { values } = asked;
  let from: DatabaseOptions;
  let to: DatabaseOptions;
  try {
    if (values.from === undefined || values.to === undefined) throw new Error('both --from and --to are needed');
    [from, to] = [place(values.from), place(values.to)];
  } catch (error) {
    process.stderr.write(refusal(program, textOf(error)));
    return 2;
  }
  const dryRun = values['dry-run'];
  const release: (() => void)[] = [];
  try {
    if (to.type === 'sqlite') mkdirSync(dirname(to.file), { recursive: true, mode: 0o700 });
    for (const each of [from, to]) {
      // A daemon holds this lock as long as it uses the file.
      if (each.type === 'sqlite' && existsSync(dirname(each.file))) release.push(lockDataDirectory(dirname(each.file)));
    }
    const report = await transfer(from, to, { dryRun });
    process.stdout.write(describe(report, dryRun));
    return report.problems.length > 0 ? 1 : 0;
  } catch (error) {
    process.stderr.write(`Nothing was moved.\n\n${textOf(error)}\n`);
    return 1;
  } finally {
    for (const each of release) each();
  }
}

function place(text: string): DatabaseOptions {
  if (text.startsWith('env:')) {
    const name = text.slice('env:'.length);
    const value = process.env[name];
    if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
    return parsePlace(value);
  }
  if (text !== 'settings') return parsePlace(text);
  const settings = loadSettings(process.env, { cwd: process.cwd() });
  return databaseOptions(settings, { databaseFile: layoutOf(settings.DATA_DIR).databaseFile });
}

const textOf = (error: unknown): string => toDaemonError(error).wireMessage;

function describe({ tables, otherTables, problems, moved }: TransferReport, dryRun: boolean): string {
  const width = Math.max(...tables.map(({ table }) => table.length));
  const lines = tables.map(({ table, rows, leftBehind }) => {
    const note = leftBehind.length === 0 ? '' : `   (columns left behind: ${leftBehind.join(', ')})`;
    return `${table.padEnd(width)} ${String(rows).padStart(9)}${note}`;
  });
  const total = tables.reduce((sum, { rows }) => sum + rows, 0);
  if (otherTables.length > 0) lines.push(`left alone, since they are not the daemon's: ${otherTables.join(', ')}`);
  if (problems.length > 0) {
    lines.push('', 'These rows do not fit into the target; nothing was moved:', ...problems.map((each) => `  ${each}`));
  } else if (moved) lines.push('', `${total} rows were moved, and are the same there as here.`);
  else if (dryRun) lines.push('', `${total} rows would be moved. Nothing was changed (dry run).`);
  return `${lines.join('\n')}\n`;
}
