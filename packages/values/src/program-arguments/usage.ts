import type { OptionTable, ProgramDescription } from './description.ts';

const WIDTH = 110;
const GAP = 2;

/** What `--help` prints. */
export function usageOf({ name, about, options, words }: ProgramDescription): string {
  const rows = [...Object.entries(options), ['help', { type: 'boolean', short: 'h', help: 'shows this' }] as const].map(
    ([name, option]): readonly [string, string] => [nameOf(name, option), textOf(option)],
  );
  const column = Math.max(...rows.map(([name]) => name.length)) + 2 * GAP;
  const lines = rows.flatMap(([name, text]) =>
    wrapped(text, WIDTH - column).map((line, at) => `${' '.repeat(GAP)}${at === 0 ? name : ''}`.padEnd(column) + line),
  );
  // npm takes what stands before `--` for its own.
  const call = [name, ...(name.startsWith('npm ') ? ['--'] : []), ...(words === undefined ? [] : [words]), '[OPTION…]'];
  return [
    call.join(' '),
    '',
    ...about.split('\n').flatMap((line) => (line.startsWith(' ') ? [line] : wrapped(line, WIDTH))),
    '',
    ...lines,
    '',
  ].join('\n');
}

const nameOf = (name: string, option: OptionTable[string]): string =>
  `${option.short === undefined ? '' : `-${option.short}, `}--${name}${option.type === 'string' ? ` ${option.takes}` : ''}`;

const textOf = (option: OptionTable[string]): string =>
  typeof option.default === 'string' && option.default !== '' ? `${option.help} (${option.default})` : option.help;

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
