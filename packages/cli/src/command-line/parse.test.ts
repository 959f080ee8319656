import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Flag } from '../command.ts';
import { CliError } from '../errors.ts';
import { normalizeArguments } from './normalize.ts';
import { parse } from './program.ts';
import { TABLE } from './table.ts';

const FLAGS: readonly Flag[] = [
  { name: 'output_path', short: 'o', type: 'string', help: '' },
  { name: 'max-size', type: 'integer', help: '' },
  { name: 'yes', short: 'y', type: 'boolean', help: '' },
  { name: 'vendor', type: 'string', optionalValue: 'auto', help: '' },
];

test.each([
  [['--output_path', 'x'], ['--output_path=x']],
  [['--output-path=x'], ['--output_path=x']],
  [['-o', 'x'], ['--output_path=x']],
  [['-ox'], ['--output_path=x']],
  [['-o=x'], ['--output_path=x']],
  [['-o', '-x'], ['--output_path=-x']],
  [['--max_size', '5'], ['--max-size=5']],
  [['-y'], ['--yes']],
  [['-y=true'], ['--yes']],
  [['--yes=false'], []],
  [
    ['-yo', 'x'],
    ['--yes', '--output_path=x'],
  ],
  [
    ['--vendor', 'x'],
    ['--vendor=auto', 'x'],
  ],
  [['--vendor=linux-amd64'], ['--vendor=linux-amd64']],
  [
    ['--', '--yes'],
    ['--', '--yes'],
  ],
  [['-h'], ['--help']],
])('%j is read as %j', (given, expected) => {
  expect(normalizeArguments(FLAGS, given)).toEqual(expected);
});

function usage(...argv: string[]): CliError {
  try {
    parse(TABLE, argv);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error('no usage error');
}

test.each([
  [['bogus'], 'unknown command "bogus" for "dify"'],
  [['plugin', 'nonsense'], 'unknown command "nonsense" for "dify plugin"'],
  [['signature', 'verify'], 'accepts 1 arg(s), received 0'],
  [['plugin', 'checksum', 'a', 'b'], 'accepts at most 1 arg(s), received 2'],
  [['plugin', 'package', '.', '--bogus'], 'unknown flag: --bogus'],
  [['plugin', 'package', '.', '--max-size', 'many'], 'expected a whole number'],
  [['plugin', 'package', '.', '-o'], 'flag needs an argument: -o, --output_path'],
  [['plugin', 'cleanup', '--yes=perhaps'], 'expected true or false'],
  [['signature', 'sign', 'x'], 'required flag(s) "private_key" not set'],
  [['bundle', 'remove', 'x'], 'required flag(s) "index" not set'],
])('%j is a usage error', (argv, message) => {
  const error = usage(...argv);
  expect(error.exit).toBe(2);
  expect(error.message).toContain(message);
});

test('flags and arguments may come in any order', () => {
  const parsed = parse(TABLE, ['plugin', 'package', '-o', 'x.difypkg', './demo', '--max-size=5', '--json']);
  if (parsed.kind !== 'command') throw new Error('no command');
  expect(parsed.args).toEqual(['./demo']);
  expect(parsed.flags.text('output_path')).toBe('x.difypkg');
  expect(parsed.flags.number('max-size')).toBe(5);
  expect(parsed.globals.on('json')).toBe(true);
});

test('switches that begin with "no" are off unless given', () => {
  const without = parse(TABLE, ['plugin', 'package', '.']);
  const given = parse(TABLE, ['plugin', 'package', '.', '--no-validate', '--no-color']);
  if (without.kind !== 'command' || given.kind !== 'command') throw new Error('no command');
  expect(without.flags.on('no-validate')).toBe(false);
  expect(given.flags.on('no-validate')).toBe(true);
  expect(given.globals.on('no-color')).toBe(true);
});

test('a group alone shows its help, help of any command lists its flags and examples', () => {
  const group = parse(TABLE, ['plugin']);
  expect(group).toMatchObject({ kind: 'help' });
  if (group.kind === 'help') expect(group.text).toContain('dify plugin [options] [command]');
  for (const row of TABLE.rows) {
    const help = parse(TABLE, ['help', ...row.path]);
    if (help.kind !== 'help') throw new Error(`no help for ${row.path.join(' ')}`);
    for (const flag of row.flags) expect(help.text).toContain(`--${flag.name}`);
    for (const example of row.examples ?? []) expect(help.text).toContain(example.command);
  }
});

test('aliases lead to the same command', () => {
  const parsed = parse(TABLE, ['plugin', 'lint', 'x']);
  expect(parsed.kind === 'command' && parsed.row.path).toEqual(['plugin', 'validate']);
});

test('every command has a handler', async () => {
  for (const row of TABLE.rows) expect(typeof (await row.load()).run, row.path.join(' ')).toBe('function');
});

test('without a path commands work on the folder they are in', () => {
  for (const row of TABLE.rows.filter(({ args }) => args[0]?.name.endsWith('_path') && args[0].optional === true)) {
    const flags = row.flags.filter((flag) => flag.required === true).flatMap((flag) => [`--${flag.name}`, 'x']);
    const parsed = parse(TABLE, [...row.path, ...flags]);
    expect(parsed.kind === 'command' && parsed.args, row.path.join(' ')).toEqual(['.']);
  }
});

test.each([[['--version']], [['-v']], [['plugin', '--version']], [['plugin', 'package', '-v']]])(
  '%j is the version',
  (argv) => {
    const parsed = parse(TABLE, argv);
    expect(parsed.kind === 'command' && parsed.row.path).toEqual(['version']);
  },
);

test('help begins with what a newcomer needs, in colour where there is any', () => {
  const plain = parse(TABLE, ['plugin', '--help']);
  if (plain.kind !== 'help') throw new Error('no help');
  expect(plain.text).not.toContain('\u001b');
  const commands = plain.text.slice(plain.text.indexOf('Start here:')).match(/^ {2}[a-z]+(?= )/gm);
  expect(commands?.slice(0, 4).map((each) => each.trim())).toEqual(['init', 'dev', 'invoke', 'package']);
  const colored = parse(TABLE, ['plugin', '--help'], { color: true });
  expect(colored.kind === 'help' && stripVTControlCharacters(colored.text)).toBe(plain.text);
  expect(colored.kind === 'help' && colored.text).toContain('\u001b[36minit\u001b[39m');
  const root = parse(TABLE, []);
  expect(root.kind === 'help' && root.text).toMatch(/Start here:[\s\S]*dify plugin init[\s\S]*dify plugin dev/);
});

test('every command of `dify plugin` stands in one section of its help', () => {
  const sections = TABLE.groups.find((group) => group.path.join(' ') === 'plugin')?.sections ?? [];
  const named = sections.flatMap((section) => section.commands);
  const words = TABLE.rows.filter((row) => row.path[0] === 'plugin').map((row) => row.path[1]);
  expect(named.toSorted()).toEqual([...new Set(words)].toSorted());
});
