/** Builds the commander program from the command table and turns an argument list into a located command and its values. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import type { CommandRow, Example, Flag, Section, Table } from '../command.ts';
import { Flags } from '../command.ts';
import { usageError } from '../errors.ts';
import { locate, normalizeArguments } from './normalize.ts';

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

/** Help is always written in colour; commander takes the colours out where they are not wanted. */
const paint = pc.createColors(true);
const STYLES = {
  styleTitle: paint.bold,
  styleCommandText: paint.cyan,
  styleSubcommandText: paint.cyan,
  styleOptionText: paint.green,
} as const;

function examplesText(title: string, examples: readonly Example[]): string {
  const lines = examples.map((example) => `  ${paint.dim(`# ${example.explains}`)}\n  ${paint.cyan(example.command)}`);
  return `${paint.bold(title)}\n${lines.join('\n\n')}`;
}

function helpTail(row: CommandRow): string {
  const parts: string[] = [];
  if (row.args.length > 0) {
    const width = Math.max(...row.args.map((argument) => argument.name.length));
    const lines = row.args.map((argument) => {
      const fallback = argument.default === undefined ? '' : ` (default: ${argument.default})`;
      return `  ${paint.green(argument.name.padEnd(width))}  ${argument.help}${fallback}`;
    });
    parts.push(`${paint.bold('Arguments:')}\n${lines.join('\n')}`);
  }
  if (row.examples !== undefined && row.examples.length > 0) parts.push(examplesText('Examples:', row.examples));
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

/** cobra's wording for what commander found wrong (docs/wire/cli.md#flags). */
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
      : least === 0
        ? `accepts at most ${most} arg(s)`
        : most === Number.POSITIVE_INFINITY
          ? `requires at least ${least} arg(s)`
          : `accepts between ${least} and ${most} arg(s)`;
  throw usageError(
    `${expected}, received ${args.length}`,
    `Usage: ${words} ${usageArguments(row)}\nRun '${words} --help' for usage.`,
  );
}

export interface ParseOptions {
  /** Colours in help texts. */
  color?: boolean;
}

/** The title under which a command stands in the help of its group. */
function titleOf(sections: readonly Section[] | undefined, word: string): string | undefined {
  return sections?.find((section) => section.commands.includes(word))?.title;
}

export function parse(table: Table, input: readonly string[], { color = false }: ParseOptions = {}): Parsed {
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
        getOutHasColors: () => color,
        getErrHasColors: () => color,
      })
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false)
      .configureHelp({ subcommandTerm: (subcommand) => subcommand.name(), ...STYLES })
      .hook('preSubcommand', (_command, subcommand) => {
        lastWords = `${words} ${subcommand.name()}`;
      });

  const root = setUp(new Command(table.name), table.name)
    .description(table.summary)
    .addHelpText('after', `\n${examplesText('Start here:', table.examples)}\n`);
  for (const flag of table.globals) root.addOption(optionOf(flag));
  const nodes = new Map<string, Command>([['', root]]);
  const below = (parentPath: readonly string[], word: string): Command => {
    const command = nodeAt(parentPath).command(word);
    const group = table.groups.find(({ path }) => path.join(' ') === parentPath.join(' '));
    const title = titleOf(group?.sections, word);
    if (title !== undefined) command.helpGroup(`${title}:`);
    return command;
  };
  // Groups are made where their first command stands, so that help follows the order of the rows.
  const nodeAt = (path: readonly string[]): Command => {
    const key = path.join(' ');
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const node = setUp(below(path.slice(0, -1), path.at(-1) ?? ''), `${table.name} ${key}`);
    node.description(table.groups.find((group) => group.path.join(' ') === key)?.summary ?? '');
    nodes.set(key, node);
    return node;
  };
  for (const row of table.rows) {
    const words = `${table.name} ${row.path.join(' ')}`;
    const command = setUp(below(row.path.slice(0, -1), row.path.at(-1) ?? ''), words)
      .summary(row.summary)
      .description(row.details === undefined ? row.summary : `${row.summary}\n\n${row.details}`)
      .usage(`${usageArguments(row)} [flags]`.trim())
      .argument('[args...]')
      .addHelpText('after', helpTail(row));
    command.configureHelp({ ...STYLES, visibleArguments: () => [] });
    for (const alias of row.aliases ?? []) command.alias(alias);
    for (const flag of row.flags) command.addOption(optionOf(flag));
    command.action((args: string[]) => {
      found = { row, args, command };
    });
  }

  const words = located === undefined ? undefined : `${table.name} ${located.path.join(' ')}`;
  const version = (): Parsed => ({
    kind: 'command',
    row: table.version,
    args: [],
    flags: new Flags(new Map()),
    globals: readFlags(root, table.globals),
  });
  try {
    root.parse(tokens, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help')
      return root.getOptionValue('version') === true
        ? version()
        : { kind: 'help', text: help || root.helpInformation() };
    throw translate(error, words ?? lastWords);
  }
  if (root.getOptionValue('version') === true) return version();
  if (found === undefined) return { kind: 'help', text: help || root.helpInformation() };
  const { row, command } = found;
  const [first] = row.args;
  const args = found.args.length === 0 && first?.default !== undefined ? [first.default] : found.args;
  checkCount(row, args, words ?? table.name);
  return { kind: 'command', row, args, flags: readFlags(command, row.flags), globals: readFlags(root, table.globals) };
}
