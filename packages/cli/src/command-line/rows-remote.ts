/** Rows of `dify plugin …` that talk to a running daemon. */

import type { Argument, CommandRow, Flag } from '../command.ts';
import { COMMANDS } from '../remote/index.ts';
import { FOLDER_OR_PACKAGE } from './rows-plugin.ts';

const DAEMON_FLAGS: readonly Flag[] = [
  {
    name: 'url',
    type: 'string',
    help: 'address of the daemon (also: DIFY_PLUGIN_DAEMON_URL; else the daemon whose data folder is here or above, else http://127.0.0.1:5002)',
  },
  {
    name: 'key',
    type: 'string',
    help: 'API key of the daemon (also: DIFY_PLUGIN_DAEMON_KEY, SERVER_KEY; else data/keys/server-key of that folder)',
  },
  {
    name: 'tenant',
    type: 'string',
    value: 'uuid',
    help: 'whose plugins: in Dify the id of the workspace (also: DIFY_TENANT_ID; default 00000000-0000-4000-8000-000000000001)',
  },
];

const PLUGIN: Argument = {
  name: 'plugin',
  help: 'author/name, the name alone, or the folder or package it is made of',
};

export const REMOTE_ROWS: readonly CommandRow[] = [
  {
    path: ['plugin', 'install'],
    aliases: ['upload'],
    summary: 'Install a plugin in a daemon, or exchange the version that is installed',
    details:
      'Takes a package, or a folder, which is checked and packed first. Another version, also an older one or a rebuilt one of the same number, takes the place of the installed one. Follows the installation to its end and looks afterwards whether the list shows what was meant; exit code 1 otherwise.',
    args: [FOLDER_OR_PACKAGE],
    flags: DAEMON_FLAGS,
    examples: [
      { command: 'dify plugin install', explains: 'the plugin in this folder, in the daemon of this machine' },
      {
        command: 'dify plugin install weather.difypkg --url http://10.0.0.5:5002 --key … --tenant …',
        explains: 'a package, in another daemon, for a workspace of Dify',
      },
    ],
    load: COMMANDS.install,
  },
  {
    path: ['plugin', 'upgrade'],
    summary: 'Exchange the installed version of a plugin; refuse to install one that is not',
    args: [FOLDER_OR_PACKAGE],
    flags: DAEMON_FLAGS,
    load: COMMANDS.upgrade,
  },
  {
    path: ['plugin', 'uninstall'],
    aliases: ['remove'],
    summary: 'Take a plugin from a tenant, with its endpoints',
    args: [PLUGIN],
    flags: DAEMON_FLAGS,
    examples: [
      { command: 'dify plugin uninstall acme/weather', explains: 'by id; `.` means the plugin in this folder' },
    ],
    load: COMMANDS.uninstall,
  },
  {
    path: ['plugin', 'list'],
    summary: 'List the installed plugins of a tenant',
    args: [],
    flags: DAEMON_FLAGS,
    load: COMMANDS.list,
  },
  {
    path: ['plugin', 'logs'],
    summary: 'Show what an installed or debugged plugin says',
    details:
      'Logs, prints and errors of the plugin, and its starts and ends. The daemon keeps some hundred lines of each plugin since it started; its own log has all of them.',
    args: [{ ...PLUGIN, optional: true, default: '.' }],
    flags: [
      { name: 'follow', short: 'f', type: 'boolean', help: 'also what comes, until Ctrl-C' },
      { name: 'lines', short: 'n', type: 'integer', default: 100, help: 'how many of the last lines' },
      ...DAEMON_FLAGS,
    ],
    examples: [{ command: 'dify plugin logs -f', explains: 'follow the plugin in this folder' }],
    load: COMMANDS.logs,
  },
  {
    path: ['plugin', 'key'],
    summary: 'Get the debugging key, as lines of a .env file',
    details: 'With --write the plugin in this folder is ready for dify plugin dev against that daemon.',
    args: [],
    flags: [
      {
        name: 'write',
        type: 'string',
        value: 'file',
        optionalValue: '.env',
        help: 'set the variables in this file instead; its other lines stay',
      },
      { name: 'rotate', type: 'boolean', help: 'make a new key; the old one opens no connection any more' },
      ...DAEMON_FLAGS,
    ],
    examples: [
      { command: 'dify plugin key --write && dify plugin dev', explains: 'debug against the daemon of this machine' },
    ],
    load: COMMANDS.key,
  },
];
