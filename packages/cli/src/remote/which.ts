/** Which installed plugin somebody means: `author/name`, the name alone, an identifier, or the folder or package it is made of. */
import { stat } from 'node:fs/promises';
import type { Installation } from '@plugin-daemon/client';
import type { Call } from '../command.ts';
import { CliError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { declarationOf, openSource } from '../source/source.ts';
import { allInstallations, type RemoteDaemon } from './daemon.ts';

/** `author/name` of a folder or a package file, or the text as it is when there is no such file. */
export async function pluginNamed(text: string, call: Call): Promise<string> {
  const isFile = text === '.' || text === '..' || (await stat(text).catch(() => undefined)) !== undefined;
  if (!isFile) return text.replace(/[:@].*$/s, '');
  const { declaration } = declarationOf(await openSource(text, call.signal));
  return declaration.author === '' ? declaration.name : `${declaration.author}/${declaration.name}`;
}

/** @throws CliError `not-installed` that says what is, `ambiguous` for a name that several authors use */
export async function installedPlugin(text: string, daemon: RemoteDaemon, call: Call): Promise<Installation> {
  const wanted = await pluginNamed(text, call);
  const rows = await allInstallations(daemon, call.signal);
  const found = rows.filter(
    ({ plugin_id: id, id: installation }) =>
      id === wanted || installation === wanted || (!wanted.includes('/') && id.split('/')[1] === wanted),
  );
  const [only] = found;
  if (only === undefined) throw notInstalled(wanted, rows);
  if (found.length > 1)
    throw new CliError('ambiguous', `several installed plugins are called ${wanted}`, {
      remedy: `name one of ${found.map((row) => row.plugin_id).join(', ')}`,
    });
  return only;
}

function notInstalled(wanted: string, rows: readonly Installation[]): CliError {
  const ids = rows.map((row) => row.plugin_id);
  const nothing = 'nothing is installed for this tenant; --tenant names another';
  // A name without author is compared with names without author.
  const names = wanted.includes('/') ? ids : ids.map((id) => id.split('/').at(-1) ?? id);
  const meant = ids[names.indexOf(nearest(wanted, names) ?? '')];
  const there = ids.length === 0 ? nothing : `there is ${ids.join(', ')}`;
  return new CliError('not-installed', `${wanted} is not installed`, {
    remedy: meant === undefined ? there : `did you mean ${meant}? ${there}`,
  });
}
