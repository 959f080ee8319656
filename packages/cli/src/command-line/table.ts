/** The command table: every command of `dify`, in the order of the manual. */

import type { CommandRow, Section, Table } from '../command.ts';
import { BUNDLE_GROUPS, BUNDLE_ROWS } from './rows-bundle.ts';
import { PLUGIN_GROUPS, PLUGIN_ROWS } from './rows-plugin.ts';
import { REMOTE_ROWS } from './rows-remote.ts';
import { RUN_ROWS } from './rows-run.ts';
import { SIGNATURE_GROUPS, SIGNATURE_ROWS } from './rows-signature.ts';
import { TOOL_ROWS, VERSION_ROW } from './rows-tools.ts';

/** The commands of `dify plugin` as its help shows them: what a newcomer needs first. */
const PLUGIN_SECTIONS: readonly Section[] = [
  { title: 'Start here', commands: ['init', 'dev', 'invoke', 'package'] },
  { title: 'Check and look', commands: ['validate', 'test', 'inspect', 'checksum', 'run'] },
  { title: 'Change', commands: ['module', 'permission', 'readme'] },
  {
    title: 'On a daemon',
    commands: ['install', 'list', 'upgrade', 'uninstall', 'logs', 'key', 'cleanup'],
  },
];

function inSections(rows: readonly CommandRow[], sections: readonly Section[]): CommandRow[] {
  const order = sections.flatMap((section) => section.commands);
  const rank = (row: CommandRow): number => {
    const index = order.indexOf(row.path[1] ?? '');
    return index < 0 ? order.length : index;
  };
  return rows.toSorted((a, b) => rank(a) - rank(b));
}

export const TABLE: Table = {
  name: 'dify',
  summary:
    'Create, check, package, sign and run Dify plugins.\n\nResults go to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 problems found, 130 interrupted.',
  globals: [
    {
      name: 'json',
      type: 'boolean',
      help: 'print one JSON document on stdout: {"ok":true,…} or {"ok":false,"error":{…}}',
    },
    { name: 'quiet', type: 'boolean', help: 'print no messages on stderr except errors and warnings' },
    { name: 'verbose', type: 'boolean', help: 'print details and the causes of errors' },
    { name: 'no-color', type: 'boolean', help: 'no colours (also: NO_COLOR=1)' },
    { name: 'no-input', type: 'boolean', help: 'never ask; a missing value is an error that names its flag' },
    { name: 'version', short: 'v', type: 'boolean', help: 'print the version' },
    { name: 'config', type: 'string', value: 'path', help: 'accepted for compatibility, has no effect' },
  ],
  groups: [
    ...PLUGIN_GROUPS.map((group) =>
      group.path.join(' ') === 'plugin' ? { ...group, sections: PLUGIN_SECTIONS } : group,
    ),
    ...BUNDLE_GROUPS,
    ...SIGNATURE_GROUPS,
  ],
  rows: [
    ...inSections([...PLUGIN_ROWS, ...RUN_ROWS, ...REMOTE_ROWS], PLUGIN_SECTIONS),
    ...BUNDLE_ROWS,
    ...SIGNATURE_ROWS,
    ...TOOL_ROWS,
    VERSION_ROW,
  ],
  examples: [
    { command: 'dify plugin init', explains: 'a new plugin, step by step' },
    { command: 'dify plugin dev --local', explains: 'inside its folder: run it, restart on every change' },
    { command: 'dify plugin invoke', explains: 'list what can be called, then call it' },
    { command: 'dify plugin package', explains: 'check it and pack it into one file' },
  ],
  version: VERSION_ROW,
};
