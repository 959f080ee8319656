/** The manual of the command line as Markdown, from the command table. */

import type { CommandRow, Flag } from '../command.ts';
import { usageArguments } from './program.ts';
import { TABLE } from './table.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function flagRows(flags: readonly Flag[]): string[] {
  return flags.map((flag) => {
    const value =
      flag.type === 'boolean'
        ? ''
        : flag.optionalValue === undefined
          ? ` <${flag.value ?? 'value'}>`
          : `[=<${flag.value ?? 'value'}>]`;
    const short = flag.short === undefined ? '' : `\`-${flag.short}\`, `;
    const notes = [
      flag.required === true ? 'required' : '',
      flag.default === undefined ? '' : `default \`${flag.default}\``,
      flag.choices === undefined ? '' : `one of ${flag.choices.join(', ')}`,
    ].filter((note) => note !== '');
    return `| ${short}\`--${flag.name}${value.replaceAll('|', '\\|')}\` | ${cell(flag.help)}${notes.length === 0 ? '' : ` (${notes.join('; ')})`} |`;
  });
}

function section(row: CommandRow): string {
  const words = ['dify', ...row.path].join(' ');
  const lines = [`## ${words}`, '', `${row.summary}.`, ''];
  if (row.details !== undefined) lines.push(row.details, '');
  lines.push('```', `${words} ${usageArguments(row)} [flags]`.replace(/ {2,}/g, ' '), '```', '');
  if ((row.aliases ?? []).length > 0)
    lines.push(
      `Also: ${(row.aliases ?? []).map((alias) => `\`${['dify', ...row.path.slice(0, -1), alias].join(' ')}\``).join(', ')}.`,
      '',
    );
  if (row.args.length > 0)
    lines.push(
      '| Argument | |',
      '|---|---|',
      ...row.args.map(
        (argument) =>
          `| \`${argument.name}\`${argument.default === undefined ? (argument.optional === true ? ' (optional)' : '') : ` (default \`${argument.default}\`)`} | ${cell(argument.help)} |`,
      ),
      '',
    );
  if (row.flags.length > 0) lines.push('| Flag | |', '|---|---|', ...flagRows(row.flags), '');
  if (row.examples !== undefined)
    lines.push('```bash', ...row.examples.flatMap((example) => [`# ${example.explains}`, example.command]), '```', '');
  return lines.join('\n');
}

export function renderManual(): string {
  const contents = TABLE.rows.map((row) => {
    const words = ['dify', ...row.path].join(' ');
    return `| [\`${words}\`](#${words.replaceAll(' ', '-')}) | ${cell(row.summary)} |`;
  });
  const text = [
    '# The `dify` command line',
    '',
    '<!-- Generated from the command table of packages/cli: npm run docs -w packages/cli -->',
    '',
    'Results go to stdout, messages to stderr. `--json` gives one JSON document on stdout: `{"ok":true,…}`, or `{"ok":false,"error":{"code","message","file","line","remedy"}}`. Nothing is asked without a terminal: a missing value is an error that names its flag. Files are written beside and renamed: an interrupted command leaves nothing half-written.',
    '',
    'Flags are read as `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`; switches also as `--flag=true|false`; `_` and `-` in names are the same; `--` ends flags.',
    '',
    '| Exit code | Meaning |',
    '|---|---|',
    '| 0 | done |',
    '| 1 | failed |',
    '| 2 | wrong usage |',
    '| 3 | problems found (`plugin validate`, `bundle validate`) |',
    '| 130 | interrupted with Ctrl-C (143: asked to end) |',
    '',
    '| Flag of every command | |',
    '|---|---|',
    ...flagRows(TABLE.globals),
    '',
    '| Command | |',
    '|---|---|',
    ...contents,
    '',
    ...TABLE.rows.map(section),
  ].join('\n');
  return `${text.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`;
}
