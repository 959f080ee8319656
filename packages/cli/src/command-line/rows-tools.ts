/** Rows of the commands beside plugins and bundles. */
import type { CommandRow } from '../command.ts';

export const TOOL_ROWS: readonly CommandRow[] = [
  {
    path: ['doctor'],
    summary: 'Check this machine and, if named, a daemon; say what to do about each problem',
    details:
      'Looks at Node, uv, Python, package index, certificates, proxy, disk, kept environments, PID 1 and the daemon. Exit code 1 when something that is needed is missing.',
    args: [],
    flags: [
      { name: 'url', type: 'string', help: 'address of a daemon to reach (also: DIFY_PLUGIN_DAEMON_URL)' },
      { name: 'key', type: 'string', help: 'API key of the daemon (also: DIFY_PLUGIN_DAEMON_KEY, SERVER_KEY)' },
      { name: 'offline', type: 'boolean', help: 'do not touch the network' },
      {
        name: 'prune',
        type: 'boolean',
        help: 'delete kept Python environments not used for 30 days, and what nothing refers to',
      },
    ],
    load: () => import('../doctor/command.ts'),
  },
  {
    path: ['slim'],
    summary: 'Invoke one plugin action and print its stream as JSON lines',
    details:
      'The same as the program dify-plugin-daemon-slim: slim -id <identifier> -action <action> [-args <json>] [-config <file>], or slim extract. Configured by SLIM_… variables.',
    args: [{ name: 'arguments', help: 'flags of slim, after --', variadic: true, optional: true }],
    flags: [],
    examples: [
      {
        command: 'dify slim -- -id acme/weather:0.1.0@… -action invoke_tool',
        explains: 'a call with the arguments on stdin',
      },
    ],
    load: () => import('../slim/command.ts'),
  },
  {
    path: ['migrate'],
    summary: "Bring a daemon's database to the current schema",
    details:
      'Reads the database settings of the daemon from the environment and from .env here; no other setting is needed.',
    args: [],
    ignoreExtraArgs: true,
    flags: [],
    load: () => import('../doctor/migrate.ts'),
  },
  {
    path: ['completion'],
    summary: 'Print the completion script of a shell: bash, zsh, fish or powershell',
    args: [{ name: 'shell', help: 'bash, zsh, fish or powershell' }],
    flags: [{ name: 'no-descriptions', type: 'boolean', help: 'complete without descriptions' }],
    examples: [
      { command: 'source <(dify completion bash)', explains: 'for this bash' },
      { command: 'dify completion zsh > ~/.zfunc/_dify', explains: 'for every zsh, with ~/.zfunc in fpath' },
    ],
    load: () => import('./completion.ts'),
  },
];

export const VERSION_ROW: CommandRow = {
  path: ['version'],
  summary: 'Print the version',
  args: [],
  ignoreExtraArgs: true,
  flags: [],
  load: () => import('./version.ts'),
};
