/** Builds the commander program from the command table and turns an argument list into a located command and its values. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { usageError } from '../errors.ts';
import { locate, normalizeArguments } from './normalize.ts';
import type { CommandRow, Flag, GroupRow } from './types.ts';
import { Flags } from './types.ts';

export interface Table {
  name: string;
  summary: string;
  globals: readonly Flag[];
  groups: readonly GroupRow[];
  rows: readonly CommandRow[];
}

export type Parsed =
  | { kind: 'command'; row: CommandRow; args: string[]; flags: Flags; globals: Flags }
  | { kind: 'help'; text: string };

type FlagValue = string | number | boolean | string[];

function optionOf(flag: Flag): Option {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const value =
    flag.type === 'boolean'
      ? ''
      : flag.optionalValue === undefined
        ? ` <${flag.value ?? 'value'}>`
        : ` [${flag.value ?? 'value'}]`;
  const option = new Option(`${short}--${flag.name}${value}`, flag.help);
  if (flag.choices !== undefined && flag.type !== 'list') option.choices(flag.choices);
  if (flag.required === true) option.makeOptionMandatory();
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.type === 'integer') {
    option.argParser((text: string) => {
      if (!/^[+-]?\d+$/.test(text))
        throw new InvalidArgumentError(`invalid argument "${text}" for "--${flag.name}": expected a whole number`);
      return Number(text);
    });
  }
  if (flag.type === 'list') {
    option.argParser((text: string, previous: unknown) => [...(Array.isArray(previous) ? previous : []), text]);
  }
  return option;
}

function helpTail(row: CommandRow): string {
  const parts: string[] = [];
  if (row.args.length > 0) {
    const width = Math.max(...row.args.map((argument) => argument.name.length));
    parts.push(
      `Arguments:\n${row.args.map((argument) => `  ${argument.name.padEnd(width)}  ${argument.help}`).join('\n')}`,
    );
  }
  if (row.examples !== undefined && row.examples.length > 0) {
    parts.push(
      `Examples:\n${row.examples.map((example) => `  # ${example.explains}\n  ${example.command}`).join('\n\n')}`,
    );
  }
  return parts.length === 0 ? '' : `\n${parts.join('\n\n')}\n`;
}

export function usageArguments(row: CommandRow): string {
  return row.args
    .map((argument) => {
      const name = `${argument.name}${argument.variadic === true ? '...' : ''}`;
      return argument.optional === true ? `[${name}]` : `<${name}>`;
    })
    .join(' ');
}

function readFlags(command: Command, flags: readonly Flag[]): Flags {
  const values = new Map<string, FlagValue>();
  for (const flag of flags) {
    const option = command.options.find((candidate) => candidate.long === `--${flag.name}`);
    const stored: unknown = option === undefined ? undefined : command.getOptionValue(option.attributeName());
    // commander keeps `--no-x` as x = false.
    const value = option?.negate === true ? stored === false : stored;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      values.set(flag.name, value);
    else if (Array.isArray(value)) values.set(flag.name, value.map(String));
  }
  return new Flags(values);
}

/** cobra's wording for what commander found wrong (section 4). */
function translate(error: CommanderError, words: string): Error {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const hint = `Run '${words} --help' for usage.`;
  const suggestion = /Did you mean ([^?]*)\?/.exec(error.message)?.[1];
  const remedy = suggestion === undefined ? hint : `Did you mean ${suggestion}?\n${hint}`;
  switch (error.code) {
    case 'commander.unknownOption':
      return usageError(
        quoted.startsWith('--') ? `unknown flag: ${quoted}` : `unknown shorthand flag: ${quoted}`,
        remedy,
      );
    case 'commander.unknownCommand':
      return usageError(`unknown command "${quoted}" for "${words}"`, remedy);
    case 'commander.missingMandatoryOptionValue':
      return usageError(`required flag(s) "${/--([\w-]+)/.exec(quoted)?.[1] ?? quoted}" not set`, hint);
    case 'commander.optionMissingArgument':
      return usageError(`flag needs an argument: ${quoted}`, hint);
    default:
      return usageError(error.message.replace(/^error: /, ''), hint);
  }
}

function checkCount(row: CommandRow, args: readonly string[], words: string): void {
  if (row.ignoreExtraArgs === true) return;
  const least = row.args.filter((argument) => argument.optional !== true).length;
  const most = row.args.some((argument) => argument.variadic === true) ? Number.POSITIVE_INFINITY : row.args.length;
  if (args.length >= least && args.length <= most) return;
  const expected =
    least === most
      ? `accepts ${least} arg(s)`
      : most === Number.POSITIVE_INFINITY
        ? `requires at least ${least} arg(s)`
        : `accepts between ${least} and ${most} arg(s)`;
  throw usageError(
    `${expected}, received ${args.length}`,
    `Usage: ${words} ${usageArguments(row)}\nRun '${words} --help' for usage.`,
  );
}

export function parse(table: Table, input: readonly string[]): Parsed {
  const argv = input[0] === 'help' ? [...input.slice(1), '--help'] : [...input];
  const located = locate(table.rows, table.globals, argv);
  const tokens = normalizeArguments([...(located?.flags ?? []), ...table.globals], argv);

  let found: { row: CommandRow; args: string[]; command: Command } | undefined;
  let help = '';
  let lastWords = table.name;
  const setUp = (command: Command, words: string): Command =>
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => (help += text),
        writeErr: (text) => (help += text),
        outputError: () => {},
      })
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false)
      .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
      .hook('preSubcommand', (_command, subcommand) => {
        lastWords = `${words} ${subcommand.name()}`;
      });

  const root = setUp(new Command(table.name), table.name).description(table.summary);
  for (const flag of table.globals) root.addOption(optionOf(flag));
  const nodes = new Map<string, Command>([['', root]]);
  for (const group of table.groups) {
    const parent = nodes.get(group.path.slice(0, -1).join(' ')) ?? root;
    const words = `${table.name} ${group.path.join(' ')}`;
    const node = setUp(parent.command(group.path.at(-1) ?? ''), words).description(group.summary);
    nodes.set(group.path.join(' '), node);
  }
  for (const row of table.rows) {
    const parent = nodes.get(row.path.slice(0, -1).join(' ')) ?? root;
    const words = `${table.name} ${row.path.join(' ')}`;
    const command = setUp(parent.command(row.path.at(-1) ?? ''), words)
      .summary(row.summary)
      .description(row.details === undefined ? row.summary : `${row.summary}\n\n${row.details}`)
      .usage(`${usageArguments(row)} [flags]`.trim())
      .argument('[args...]')
      .addHelpText('after', helpTail(row));
    command.configureHelp({ visibleArguments: () => [] });
    for (const alias of row.aliases ?? []) command.alias(alias);
    for (const flag of row.flags) command.addOption(optionOf(flag));
    command.action((args: string[]) => {
      found = { row, args, command };
    });
  }

  const words = located === undefined ? undefined : `${table.name} ${located.path.join(' ')}`;
  try {
    root.parse(tokens, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help')
      return { kind: 'help', text: help || root.helpInformation() };
    throw translate(error, words ?? lastWords);
  }
  if (found === undefined) return { kind: 'help', text: help || root.helpInformation() };
  checkCount(found.row, found.args, words ?? table.name);
  return {
    kind: 'command',
    row: found.row,
    args: found.args,
    flags: readFlags(found.command, found.row.flags),
    globals: readFlags(root, table.globals),
  };
}
