/** Rows of `dify plugin …` that work on files. */

import type { Argument, CommandRow, Flag, GroupRow } from '../command.ts';
import { CATEGORIES, MODULE_KINDS, PROVIDER_TYPES, PYTHON_CHOICES } from '../init/rules.ts';
import { DEFAULT_MAX_MEGABYTES } from '../source/size-limit.ts';

export const PLUGIN_GROUPS: readonly GroupRow[] = [
  { path: ['plugin'], summary: 'Create, check, package and run plugins' },
  { path: ['plugin', 'module'], summary: 'List and add the modules of a plugin' },
  { path: ['plugin', 'module', 'append'], summary: 'Add a module to a plugin' },
  { path: ['plugin', 'readme'], summary: 'Look at the readmes of a plugin' },
];

export const FOLDER: Argument = { name: 'plugin_path', help: 'folder of the plugin', optional: true, default: '.' };
export const FOLDER_OR_PACKAGE: Argument = {
  name: 'plugin_path',
  help: 'folder of the plugin, or a .difypkg file',
  optional: true,
  default: '.',
};

export const PERMISSION_FLAGS: readonly Flag[] = [
  { name: 'allow-endpoint', type: 'boolean', help: 'the plugin may offer HTTP endpoints' },
  { name: 'allow-tool', type: 'boolean', help: 'the plugin may call tools' },
  { name: 'allow-model', type: 'boolean', help: 'the plugin may call models (say which kinds as well)' },
  { name: 'allow-llm', type: 'boolean', help: '… large language models' },
  { name: 'allow-text-embedding', type: 'boolean', help: '… text embedding models' },
  { name: 'allow-rerank', type: 'boolean', help: '… rerank models' },
  { name: 'allow-tts', type: 'boolean', help: '… text to speech models' },
  { name: 'allow-speech2text', type: 'boolean', help: '… speech to text models' },
  { name: 'allow-moderation', type: 'boolean', help: '… moderation models' },
  { name: 'allow-node', type: 'boolean', help: 'the plugin may run workflow nodes' },
  { name: 'allow-app', type: 'boolean', help: 'the plugin may call apps' },
  { name: 'allow-storage', type: 'boolean', help: 'the plugin may store data' },
  { name: 'storage-size', type: 'string', value: 'bytes', help: 'how much, in bytes or as 512KB, 2MB (default 1MB)' },
];

export const PLUGIN_ROWS: readonly CommandRow[] = [
  {
    path: ['plugin', 'init'],
    summary: 'Create a new plugin',
    details:
      'Asks for everything on a terminal (Enter accepts, Esc goes back, Ctrl-C leaves without a trace); with --quick, or without a terminal, everything comes from flags. The new folder carries the name of the plugin and holds a complete example that validates, packages and runs as it is.',
    args: [],
    ignoreExtraArgs: true,
    flags: [
      { name: 'name', type: 'string', help: 'name: lowercase letters, digits, - and _' },
      { name: 'author', type: 'string', help: 'author: lowercase letters, digits, - and _' },
      { name: 'description', type: 'string', help: 'one sentence about what the plugin does' },
      { name: 'repo', type: 'string', value: 'url', help: 'address of the source repository' },
      { name: 'category', type: 'string', help: `kind of plugin: ${CATEGORIES.join(', ')} (default tool)` },
      { name: 'language', type: 'string', help: 'programming language: python' },
      {
        name: 'provider-type',
        type: 'string',
        value: 'type',
        help: `kind of datasource: ${PROVIDER_TYPES.join(', ')} (default online_document)`,
      },
      { name: 'min-dify-version', type: 'string', value: 'version', help: 'oldest Dify the plugin works with' },
      {
        name: 'python',
        type: 'string',
        value: 'version',
        choices: Object.keys(PYTHON_CHOICES),
        help: 'lowest Python the plugin asks for (default 3.12; 3.11 where nothing newer is installed)',
      },
      { name: 'i18n', type: 'string', value: 'languages', help: 'readmes in other languages: zh_Hans,ja_JP,pt_BR' },
      ...PERMISSION_FLAGS,
      { name: 'quick', type: 'boolean', help: 'ask nothing: take the flags, defaults for the rest' },
      {
        name: 'dir',
        type: 'string',
        value: 'folder',
        help: 'create the plugin below this folder instead of the current one',
      },
      { name: 'force', type: 'boolean', help: 'write into an existing folder (files of other names stay)' },
    ],
    examples: [
      { command: 'dify plugin init', explains: 'step by step' },
      {
        command:
          'dify plugin init --quick --name weather --author acme --description "Weather for any city" --category tool',
        explains: 'from a script',
      },
    ],
    load: () => import('../init/command.ts'),
  },
  {
    path: ['plugin', 'validate'],
    aliases: ['lint'],
    summary: 'Report every problem of a plugin at once',
    details:
      'Reads the manifest and everything it names: YAML files, Python sources, icons, readmes, dependencies. Each finding says file, line, column, rule and remedy. Errors end with exit code 3; warnings alone with 0.',
    args: [FOLDER_OR_PACKAGE],
    flags: [
      { name: 'marketplace', type: 'boolean', help: 'also apply the rules of the marketplace review' },
      { name: 'strict', type: 'boolean', help: 'treat warnings as errors' },
      {
        name: 'fix',
        type: 'boolean',
        help: 'correct what has one obvious correction (permissions used but not declared, SDK version, indentation, boolean defaults, …), then report the rest',
      },
      {
        name: 'format',
        type: 'string',
        choices: ['text', 'json', 'github', 'sarif'],
        default: 'text',
        help: 'form of the report',
      },
      {
        name: 'schemas',
        type: 'string',
        value: 'folder',
        help: 'write the JSON Schemas of all YAML files into this folder, for editors, and stop',
      },
    ],
    examples: [
      { command: 'dify plugin validate', explains: 'the plugin in this folder' },
      {
        command: 'dify plugin validate --marketplace --format github',
        explains: 'in a workflow, with annotations at the lines',
      },
    ],
    load: () => import('../validate/command.ts'),
  },
  {
    path: ['plugin', 'package'],
    summary: 'Pack a plugin into a .difypkg file',
    details:
      'Checks first, then packs. Left out are the files named in .difyignore (or .gitignore when there is none) and always: version control, virtual environments, caches, editor folders and packages; and, with a word, what may hold secrets: .env files, private keys, credentials of registries and clouds. Equal files give a byte-identical package.',
    args: [FOLDER],
    flags: [
      {
        name: 'output_path',
        short: 'o',
        type: 'string',
        value: 'file',
        help: 'file to write (default: <folder>.difypkg here)',
      },
      {
        name: 'max-size',
        type: 'integer',
        value: 'MB',
        default: DEFAULT_MAX_MEGABYTES,
        help: 'limit of all files together, uncompressed',
      },
      {
        name: 'explain',
        type: 'boolean',
        help: 'list the files with their sizes, and why others were left out; writes nothing',
      },
      {
        name: 'vendor',
        type: 'string',
        value: 'platforms',
        optionalValue: 'auto',
        help: 'put the dependencies inside, so that installation needs no network: linux-amd64, linux-arm64, macos-arm64, …',
      },
      {
        name: 'python',
        type: 'string',
        value: 'versions',
        help: 'Python versions to vendor for (default: that of the manifest)',
      },
      { name: 'no-validate', type: 'boolean', help: 'skip the checks beyond what packing needs' },
      {
        name: 'include',
        type: 'list',
        value: 'path',
        help: 'pack this file or folder although it would be left out (repeatable; a pattern as in .difyignore)',
      },
      { name: 'no-default-excludes', type: 'boolean', help: 'leave out only what the ignore file names' },
      { name: 'sign', type: 'string', value: 'key', help: 'sign the package with this private key' },
      {
        name: 'authorized_category',
        type: 'string',
        value: 'category',
        help: 'category to sign for: langgenius, partner or community',
      },
    ],
    examples: [
      { command: 'dify plugin package ./weather', explains: 'writes weather.difypkg' },
      { command: 'dify plugin package . -o weather-0.0.1.difypkg', explains: 'from inside the folder' },
      { command: 'dify plugin package --explain', explains: 'what would go in, largest first' },
      {
        command: 'dify plugin package --vendor=linux-amd64,linux-arm64 --python 3.12',
        explains: 'for installations without network',
      },
    ],
    load: () => import('../plugin/package.ts'),
  },
  {
    path: ['plugin', 'checksum'],
    summary: 'Print the checksum of a folder or package',
    details:
      'The checksum is the last part of the unique identifier author/name:version@checksum. It covers names and contents of all files.',
    args: [FOLDER_OR_PACKAGE],
    flags: [],
    load: () => import('../plugin/checksum.ts'),
  },
  {
    path: ['plugin', 'inspect'],
    summary: 'Show what a package is: identity, signature, modules, permissions',
    args: [FOLDER_OR_PACKAGE],
    flags: [
      { name: 'diff', type: 'string', value: 'other', help: 'compare with another folder or package, file by file' },
      {
        name: 'public_key',
        short: 'p',
        type: 'list',
        value: 'file',
        help: 'trust this public key as well (repeatable)',
      },
    ],
    load: () => import('../plugin/inspect.ts'),
  },
  {
    path: ['plugin', 'module', 'list'],
    summary: 'List tools, models, endpoints, strategies, datasources and events',
    args: [FOLDER_OR_PACKAGE],
    flags: [],
    load: () => import('../plugin/module-list.ts'),
  },
  {
    path: ['plugin', 'module', 'append', 'tools'],
    summary: 'Add a tool provider to a plugin',
    details:
      'Writes the provider and one tool, and names them in manifest.yaml; comments and order of the manifest stay.',
    args: [FOLDER],
    flags: [],
    load: async () => ({ run: (await import('../plugin/module-append.ts')).appendTools }),
  },
  {
    path: ['plugin', 'module', 'append', 'endpoints'],
    summary: 'Add an endpoint group to a plugin',
    details:
      'Writes the group and one endpoint, and names them in manifest.yaml; comments and order of the manifest stay.',
    args: [FOLDER],
    flags: [],
    load: async () => ({ run: (await import('../plugin/module-append.ts')).appendEndpoints }),
  },
  {
    path: ['plugin', 'module', 'add'],
    summary: 'Add one more tool, endpoint, strategy, datasource, event or model to a plugin',
    details:
      'Writes a working example and names it in the provider; the first tool or endpoint of a plugin brings its provider along. Comments and order of the YAML files stay, nothing is overwritten.',
    args: [
      { name: 'kind', help: `what to add: ${MODULE_KINDS.join(', ')}` },
      { name: 'name', help: 'name of the new module or model: lowercase letters, digits, - and _' },
      { name: 'plugin_path', help: 'folder of the plugin (default: here)', optional: true },
    ],
    flags: [{ name: 'description', type: 'string', help: 'what it does, in one sentence (default: its name)' }],
    examples: [
      { command: 'dify plugin module add tool forecast', explains: 'a second tool of the plugin in this folder' },
      { command: 'dify plugin module add rerank my-rerank ./openai', explains: 'one more kind of model' },
    ],
    load: async () => ({ run: (await import('../plugin/module-append.ts')).addModule }),
  },
  {
    path: ['plugin', 'permission'],
    summary: 'Show or change what a plugin may do',
    details:
      'On a terminal and without flags: an editor. With flags: sets what is named and keeps the rest; --storage 0 takes storage away. Comments and order of the manifest stay.',
    args: [FOLDER],
    flags: [
      { name: 'show', type: 'boolean', help: 'print the permissions and change nothing' },
      { name: 'tool', type: 'string', value: 'on|off', help: 'call tools' },
      {
        name: 'model',
        type: 'string',
        value: 'kinds',
        help: 'call models: llm,text_embedding,rerank,tts,speech2text,moderation, or off',
      },
      { name: 'node', type: 'string', value: 'on|off', help: 'run workflow nodes' },
      { name: 'app', type: 'string', value: 'on|off', help: 'call apps' },
      { name: 'endpoint', type: 'string', value: 'on|off', help: 'offer HTTP endpoints' },
      { name: 'storage', type: 'string', value: 'size', help: 'store data: 512KB, 2MB, …, or 0' },
    ],
    examples: [
      {
        command: 'dify plugin permission --model llm,tts --storage 2MB',
        explains: 'allow two kinds of models and some storage',
      },
    ],
    load: () => import('../plugin/permission.ts'),
  },
  {
    path: ['plugin', 'readme', 'list'],
    summary: 'List the languages of the readmes',
    args: [FOLDER_OR_PACKAGE],
    flags: [],
    load: () => import('../plugin/readme-list.ts'),
  },
];
