/** `dify completion`: scripts for four shells, made from the command table. */

import type { Call, CommandRow, Flag, Outcome, Table } from '../command.ts';
import { usageError } from '../errors.ts';
import { CATEGORIES, MODULE_KINDS, PROVIDER_TYPES } from '../init/rules.ts';
import { KINDS } from '../run/requests/index.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
type Shell = (typeof SHELLS)[number];

/** Values of flags that are one of a few. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  category: CATEGORIES,
  'provider-type': PROVIDER_TYPES,
  language: ['python'],
  mode: ['stdio', 'tcp'],
  'response-format': ['text', 'json'],
  format: ['text', 'json', 'github', 'sarif'],
  authorized_category: ['langgenius', 'partner', 'community'],
  vendor: ['linux-amd64', 'linux-arm64', 'macos-arm64', 'macos-amd64', 'windows-amd64'],
};

/** Values of first arguments that are one of a few. */
const FIRST_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'plugin invoke': KINDS,
  'plugin module add': MODULE_KINDS,
  completion: SHELLS,
};

interface Node {
  /** Words typed so far, joined by spaces; '' at the root. */
  path: string;
  words: { word: string; help: string }[];
  flags: readonly Flag[];
  args: readonly string[];
}

/** Every position in the command tree with what may follow. */
function completionNodes(table: Table): Node[] {
  const nodes = new Map<string, Node>([['', { path: '', words: [], flags: table.globals, args: [] }]]);
  const add = (path: readonly string[], summary: string, row?: CommandRow): void => {
    const key = path.join(' ');
    nodes.set(key, {
      path: key,
      words: [],
      flags: [...(row?.flags ?? []), ...table.globals],
      args: FIRST_ARGUMENTS[key] ?? [],
    });
    nodes.get(path.slice(0, -1).join(' '))?.words.push({ word: path.at(-1) ?? '', help: summary });
  };
  for (const group of table.groups) add(group.path, group.summary);
  for (const row of table.rows) add(row.path, row.summary, row);
  return [...nodes.values()];
}

const single = (text: string): string => text.replaceAll("'", "'\\''");

function bash(table: Table): string {
  const cases = completionNodes(table)
    .map((node) => {
      const words = [...node.words.map((each) => each.word), ...node.args].join(' ');
      return `    '${node.path}') words='${words}'; flags='${node.flags.map((flag) => `--${flag.name}`).join(' ')} --help' ;;`;
    })
    .join('\n');
  const values = Object.entries(VALUES)
    .map(([name, list]) => `    --${name}) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$current")); return ;;`)
    .join('\n');
  const known = completionNodes(table)
    .map((node) => `'${node.path}'`)
    .join('|');
  return `# bash completion for dify
_dify() {
  local current previous path word words flags candidate
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$previous" in
${values}
  esac
  path=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    candidate="\${path:+$path }$word"
    case "$candidate" in
      ${known}) path="$candidate" ;;
    esac
  done
  case "$path" in
${cases}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _dify dify dify-plugin
`;
}

function zsh(table: Table, descriptions: boolean): string {
  const describe = (word: string, help: string): string =>
    `'${single(word)}${descriptions ? `:${single(help.replaceAll(':', '\\:'))}` : ''}'`;
  const cases = completionNodes(table)
    .map((node) => {
      const words = [
        ...node.words.map((each) => describe(each.word, each.help)),
        ...node.args.map((word) => describe(word, '')),
      ].join(' ');
      const flags = [
        ...node.flags.map((flag) => describe(`--${flag.name}`, flag.help)),
        describe('--help', 'show help'),
      ].join(' ');
      return `    '${node.path}') words=(${words}); flags=(${flags}) ;;`;
    })
    .join('\n');
  const values = Object.entries(VALUES)
    .map(([name, list]) => `    --${name}) compadd -- ${list.join(' ')}; return ;;`)
    .join('\n');
  const known = completionNodes(table)
    .map((node) => `'${node.path}'`)
    .join('|');
  return `#compdef dify dify-plugin
# zsh completion for dify
_dify() {
  local -a flags; local path_so_far='' candidate word
  local -a words_here
  case "\${words[CURRENT-1]}" in
${values}
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    candidate="\${path_so_far:+$path_so_far }$word"
    case "$candidate" in
      ${known}) path_so_far="$candidate" ;;
    esac
  done
  local current="\${words[CURRENT]}"
  case "$path_so_far" in
${cases.replaceAll('words=(', 'words_here=(')}
  esac
  if [[ "$current" == -* ]]; then
    _describe 'flag' flags
  elif (( \${#words_here} )); then
    _describe 'command' words_here
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_dify" ]; then _dify "$@"; else compdef _dify dify dify-plugin; fi
`;
}

function fish(table: Table, descriptions: boolean): string {
  const lines = [
    '# fish completion for dify',
    'function __dify_path',
    "  set -l path ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l candidate (string trim -- "$path $word")',
    '    switch $candidate',
    `      case ${completionNodes(table)
      .filter((node) => node.path !== '')
      .map((node) => `'${node.path}'`)
      .join(' ')}`,
    '        set path $candidate',
    '    end',
    '  end',
    '  echo $path',
    'end',
    'complete -c dify -f',
  ];
  for (const node of completionNodes(table)) {
    const condition = `test (__dify_path) = '${node.path}'`;
    for (const { word, help } of node.words)
      lines.push(`complete -c dify -n "${condition}" -a '${word}'${descriptions ? ` -d '${single(help)}'` : ''}`);
    for (const word of node.args) lines.push(`complete -c dify -n "${condition}" -a '${word}'`);
    for (const flag of node.flags) {
      const values = VALUES[flag.name];
      lines.push(
        `complete -c dify -n "${condition}" -l '${flag.name}'${flag.short === undefined ? '' : ` -s '${flag.short}'`}${flag.type === 'boolean' ? '' : ` -r${values === undefined ? 'F' : ` -f -a '${values.join(' ')}'`}`}${descriptions ? ` -d '${single(flag.help)}'` : ''}`,
      );
    }
    if (node.words.length === 0 && node.args.length === 0) lines.push(`complete -c dify -n "${condition}" -F`);
  }
  return `${lines.join('\n')}\n`;
}

function powershell(table: Table): string {
  const double = (text: string): string => text.replaceAll("'", "''");
  const cases = completionNodes(table)
    .map(
      (node) =>
        `    '${node.path}' { @(${[...node.words.map((each) => each.word), ...node.args, ...node.flags.map((flag) => `--${flag.name}`)].map((word) => `'${double(word)}'`).join(', ')}) }`,
    )
    .join('\n');
  return `# PowerShell completion for dify
Register-ArgumentCompleter -Native -CommandName 'dify', 'dify-plugin' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $known = @(${completionNodes(table)
    .map((node) => `'${node.path}'`)
    .join(', ')})
  $path = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $candidate = ("$path $element").Trim()
    if ($known -contains $candidate) { $path = $candidate }
  }
  $words = switch ($path) {
${cases}
  }
  $words | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
`;
}

export async function run({ args, flags, table }: Call): Promise<Outcome> {
  const shell = SHELLS.find((candidate): candidate is Shell => candidate === args[0]);
  if (shell === undefined) throw usageError(`unknown shell "${args[0] ?? ''}"`, `choose ${SHELLS.join(', ')}`);
  const descriptions = !flags.on('no-descriptions');
  const script = {
    bash: () => bash(table),
    zsh: () => zsh(table, descriptions),
    fish: () => fish(table, descriptions),
    powershell: () => powershell(table),
  }[shell]();
  return { text: script, data: { shell, script } };
}
