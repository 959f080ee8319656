/** The command table: every command of `dify`, in the order of the manual. */

import type { Table } from './program.ts';
import { BUNDLE_GROUPS, BUNDLE_ROWS } from './rows-bundle.ts';
import { PLUGIN_GROUPS, PLUGIN_ROWS } from './rows-plugin.ts';
import { RUN_ROWS } from './rows-run.ts';
import { SIGNATURE_GROUPS, SIGNATURE_ROWS } from './rows-signature.ts';
import { TOOL_ROWS } from './rows-tools.ts';

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
    { name: 'config', type: 'string', value: 'path', help: 'accepted for compatibility, has no effect' },
  ],
  groups: [...PLUGIN_GROUPS, ...BUNDLE_GROUPS, ...SIGNATURE_GROUPS],
  rows: [...PLUGIN_ROWS, ...RUN_ROWS, ...BUNDLE_ROWS, ...SIGNATURE_ROWS, ...TOOL_ROWS],
};
