/** Rows of `dify bundle …`. */
import type { Argument, CommandRow, GroupRow } from '../command.ts';

export const BUNDLE_GROUPS: readonly GroupRow[] = [
  { path: ['bundle'], summary: 'Collect plugins into bundles' },
  { path: ['bundle', 'append'], summary: 'Add a dependency to a bundle' },
];

const BUNDLE: Argument = {
  name: 'bundle_path',
  help: 'folder of the bundle, or a .difybndl file, which is changed in place',
  optional: true,
  default: '.',
};

const identity = [
  { name: 'name', type: 'string', help: 'name of the bundle' },
  { name: 'author', type: 'string', help: 'author of the bundle' },
  { name: 'description', type: 'string', help: 'one sentence about the bundle' },
] as const;

const bundleCommand = (name: string) => async () => {
  const { COMMANDS } = await import('../bundle/commands.ts');
  const run = COMMANDS[name];
  if (run === undefined) throw new Error(`no handler for bundle ${name}`);
  return { run };
};

export const BUNDLE_ROWS: readonly CommandRow[] = [
  {
    path: ['bundle', 'init'],
    summary: 'Create a new bundle',
    args: [],
    ignoreExtraArgs: true,
    flags: [...identity, { name: 'force', type: 'boolean', help: 'write into an existing folder' }],
    load: bundleCommand('init'),
  },
  {
    path: ['bundle', 'append', 'github'],
    summary: 'Add a plugin from a GitHub release',
    args: [BUNDLE],
    flags: [
      {
        name: 'repo_pattern',
        short: 'r',
        type: 'string',
        required: true,
        help: 'owner/repo:version/file, for example acme/weather:1.x.x/weather.difypkg',
      },
    ],
    load: bundleCommand('append github'),
  },
  {
    path: ['bundle', 'append', 'marketplace'],
    summary: 'Add a plugin from the marketplace',
    args: [BUNDLE],
    flags: [
      {
        name: 'marketplace_pattern',
        short: 'm',
        type: 'string',
        required: true,
        help: 'author/name:version, for example acme/weather:^1.2.0',
      },
    ],
    load: bundleCommand('append marketplace'),
  },
  {
    path: ['bundle', 'append', 'package'],
    summary: 'Put a .difypkg file into the bundle',
    args: [BUNDLE],
    flags: [
      { name: 'package_path', short: 'p', type: 'string', value: 'file', required: true, help: 'the .difypkg file' },
    ],
    load: bundleCommand('append package'),
  },
  {
    path: ['bundle', 'analyze'],
    summary: 'List the dependencies',
    args: [BUNDLE],
    flags: [],
    load: bundleCommand('analyze'),
  },
  {
    path: ['bundle', 'validate'],
    summary: 'Check manifest, patterns and embedded packages',
    args: [BUNDLE],
    flags: [],
    load: bundleCommand('validate'),
  },
  {
    path: ['bundle', 'remove'],
    summary: 'Remove a dependency by its index',
    args: [BUNDLE],
    flags: [{ name: 'index', short: 'i', type: 'string', required: true, help: 'index as shown by analyze, from 0' }],
    load: bundleCommand('remove'),
  },
  {
    path: ['bundle', 'regenerate'],
    summary: 'Change name, author and description of a bundle',
    args: [BUNDLE],
    flags: identity,
    load: bundleCommand('regenerate'),
  },
  {
    path: ['bundle', 'bump'],
    summary: 'Set the version of a bundle',
    args: [BUNDLE],
    flags: [
      {
        name: 'target_version',
        short: 't',
        type: 'string',
        value: 'version',
        required: true,
        help: 'the new version, for example 0.0.2',
      },
    ],
    load: bundleCommand('bump'),
  },
  {
    path: ['bundle', 'package'],
    summary: 'Pack a bundle into a .difybndl file',
    details:
      'Packs the manifest, the READMEs and _assets, without what .difyignore (or .gitignore) names. The same bundle gives the same bytes.',
    args: [BUNDLE],
    flags: [
      {
        name: 'output_path',
        short: 'o',
        type: 'string',
        value: 'file',
        help: 'file to write (default: <folder>.difybndl here)',
      },
      {
        name: 'max-size',
        type: 'integer',
        value: 'MB',
        default: 600,
        help: 'largest bundle to write; daemons take 600 MB',
      },
    ],
    load: bundleCommand('package'),
  },
];
