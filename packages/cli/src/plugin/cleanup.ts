/** `plugin cleanup`: removes what is not the newest version below a daemon's working folder (docs/wire/cli.md#cleanup). */

import { readdir, realpath, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { messageOf } from '@plugin-daemon/values';
import { parse } from 'yaml';
import type { Call, Outcome } from '../command.ts';
import { type DatabaseLocation, locateDatabase, withDatabase } from '../doctor/daemon-database.ts';
import { CliError, throwIfAborted, usageError } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { VERSION } from '../init/rules.ts';
import { requireFolder } from '../source/folder.ts';

interface Installed {
  path: string;
  id: string;
  version: string;
  checksum: string;
  identifier: string;
}

/** `<name>-<version>@<checksum>`; a version with a suffix is told apart with the manifest inside. */
async function parseDirectory(author: string, name: string, path: string): Promise<Installed | undefined> {
  const at = name.indexOf('@');
  if (at < 0) return undefined;
  const checksum = name.slice(at + 1);
  const stem = name.slice(0, at);
  const made = (plugin: string, version: string): Installed => ({
    path,
    id: `${author}/${plugin}`,
    version,
    checksum,
    identifier: `${author}/${plugin}:${version}@${checksum}`,
  });
  const dash = stem.lastIndexOf('-');
  const version = stem.slice(dash + 1);
  if (dash > 0 && VERSION.test(version)) return made(stem.slice(0, dash), version);
  try {
    const manifest: unknown = parse((await readNamedFile(join(path, 'manifest.yaml'))).toString('utf8'));
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest && 'name' in manifest)
      return made(String(manifest.name), String(manifest.version));
  } catch {
    // Reported by the caller: a folder that is no plugin is left alone.
  }
  return undefined;
}

export function compareVersions(a: string, b: string): number {
  const split = (text: string): { numbers: number[]; suffix: string | undefined } | undefined => {
    if (!VERSION.test(text)) return undefined;
    const dash = text.indexOf('-');
    return {
      numbers: (dash < 0 ? text : text.slice(0, dash)).split('.').map(Number),
      suffix: dash < 0 ? undefined : text.slice(dash + 1),
    };
  };
  const [left, right] = [split(a), split(b)];
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  for (let index = 0; index < 3; index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.suffix === right.suffix) return 0;
  if (left.suffix === undefined) return 1;
  if (right.suffix === undefined) return -1;
  return left.suffix < right.suffix ? -1 : 1;
}

async function scan(root: string, call: Call): Promise<Installed[]> {
  const found: Installed[] = [];
  for (const author of await readdir(root, { withFileTypes: true })) {
    if (!author.isDirectory() || author.name.startsWith('.')) continue;
    for (const entry of await readdir(join(root, author.name), { withFileTypes: true })) {
      throwIfAborted(call.signal);
      if (!entry.isDirectory() || !entry.name.includes('@')) continue;
      const path = join(root, author.name, entry.name);
      const plugin = await parseDirectory(author.name, entry.name, path);
      if (plugin === undefined) call.io.warn('skipped: its version cannot be told', { path });
      else found.push(plugin);
    }
  }
  return found;
}

function outdated(all: readonly Installed[]): Installed[] {
  const newest = new Map<string, string>();
  for (const plugin of all) {
    const known = newest.get(plugin.id);
    if (known === undefined || compareVersions(plugin.version, known) > 0) newest.set(plugin.id, plugin.version);
  }
  return all.filter((plugin) => compareVersions(plugin.version, newest.get(plugin.id) ?? plugin.version) < 0);
}

async function usedIdentifiers(location: DatabaseLocation | undefined): Promise<ReadonlySet<string>> {
  if (location === undefined) return new Set();
  return withDatabase(location, async (database) => new Set(await database.installations.identifiersInUse()));
}

/** The database of the daemon of this folder, if it has one that can be worked on. */
function databaseOf({ env, cwd, io }: Call): DatabaseLocation | undefined {
  try {
    const found = locateDatabase(env, cwd);
    return found.exists ? found : undefined;
  } catch (error) {
    io.warn('the database is left alone', { reason: messageOf(error) });
    return undefined;
  }
}

const describe = (plugin: Installed): string =>
  `- ${plugin.id} ${plugin.version} (checksum ${plugin.checksum}) -> ${plugin.path}`;

export async function run(call: Call): Promise<Outcome> {
  const { flags, io, cwd, signal } = call;
  const path = flags.text('path');
  if (path === undefined || path === '')
    throw usageError('--path is required', 'name the working folder of the daemon (PLUGIN_WORKING_PATH)');
  await requireFolder(resolve(cwd, path));
  const root = await realpath(resolve(cwd, path));
  const all = await scan(root, call);
  if (all.length === 0) return { text: `No plugins found under: ${root}`, data: { removed: [], kept: 0 } };
  const candidates = outdated(all);
  const database = databaseOf(call);
  const used = candidates.length === 0 ? new Set<string>() : await usedIdentifiers(database);
  const doomed = candidates.filter((plugin) => flags.on('force') || !used.has(plugin.identifier));
  for (const plugin of candidates)
    if (!doomed.includes(plugin))
      io.warn('kept: a tenant still has this version installed', { plugin: plugin.identifier });
  if (doomed.length === 0)
    return {
      text: 'Nothing to delete. All plugins are already at their latest versions.',
      data: { removed: [], kept: all.length },
    };
  if (flags.on('dry-run')) {
    return {
      text: [`[dry-run] Will remove ${doomed.length} old version directories:`, ...doomed.map(describe)].join('\n'),
      data: { dry_run: true, removed: doomed, kept: all.length - doomed.length },
    };
  }
  if (!flags.on('yes')) {
    if (!io.interactive)
      throw usageError('there is no terminal to ask on', 'add --yes to delete, or --dry-run to look first');
    io.note(doomed.map(describe).join('\n'));
    const question = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await question.question(`You are about to delete ${doomed.length} directories. Proceed? [y/N]: `, {
        signal,
      });
      if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('aborted', 'Aborted.');
    } finally {
      question.close();
    }
  }
  for (const plugin of doomed) {
    throwIfAborted(signal);
    if (!plugin.path.startsWith(root + sep)) continue;
    await rm(plugin.path, { recursive: true, force: true });
    io.info('removed old plugin version', { plugin: plugin.identifier });
  }
  if (database !== undefined) {
    await withDatabase(database, async (rows) => {
      for (const plugin of doomed) if (!used.has(plugin.identifier)) await rows.declarations.delete(plugin.identifier);
    });
  }
  return { text: 'Cleanup complete.', data: { removed: doomed, kept: all.length - doomed.length } };
}
