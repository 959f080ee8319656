/** Command lines the way Go's flag package reads them: `-x v`, `--x v`, `-x=v`; the first other word ends the flags. */
export interface GoFlag {
  name: string;
  help: string;
  boolean?: true;
  default?: string;
}

export type GoParsed =
  | { kind: 'values'; values: Map<string, string>; rest: string[] }
  | { kind: 'help' }
  | { kind: 'error'; message: string };

export function parseGoFlags(flags: readonly GoFlag[], argv: readonly string[]): GoParsed {
  const values = new Map<string, string>();
  for (const flag of flags) if (flag.default !== undefined) values.set(flag.name, flag.default);
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] ?? '';
    if (token === '--') return { kind: 'values', values, rest: argv.slice(index + 1) };
    if (!token.startsWith('-') || token === '-') return { kind: 'values', values, rest: argv.slice(index) };
    const body = token.replace(/^--?/, '');
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    if (name === 'h' || name === 'help') return { kind: 'help' };
    const flag = flags.find((candidate) => candidate.name === name);
    if (flag === undefined) return { kind: 'error', message: `flag provided but not defined: -${name}` };
    if (equals >= 0) values.set(name, body.slice(equals + 1));
    else if (flag.boolean === true) values.set(name, 'true');
    else {
      const value = argv[++index];
      if (value === undefined) return { kind: 'error', message: `flag needs an argument: -${name}` };
      values.set(name, value);
    }
  }
  return { kind: 'values', values, rest: [] };
}

export function usage(program: string, flags: readonly GoFlag[]): string {
  const lines = flags.map(
    (flag) =>
      `  -${flag.name}${flag.boolean === true ? '' : ' string'}\n    \t${flag.help}${flag.default === undefined ? '' : ` (default "${flag.default}")`}`,
  );
  return `Usage of ${program}:\n${lines.join('\n')}\n`;
}
