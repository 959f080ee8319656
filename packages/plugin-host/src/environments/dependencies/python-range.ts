/** `requires-python`, as far as minor versions of Python 3 go. */

interface Clause {
  readonly operator: string;
  readonly minor: number | undefined;
  /** A third number that is not 0, or one that is not a wildcard. */
  readonly exact: boolean;
  /** Nothing after the minor version: `>3.11` lets 3.11.1 in. */
  readonly open: boolean;
}

export type PythonRange = readonly Clause[];

const LONGEST = 200;
const CLAUSE = /^(===|>=|<=|==|!=|~=|>|<)\s{0,9}3(?:\.(\d{1,4}))?((?:\.(?:\d{1,4}|\*)){0,3})$/;

/** Clauses that cannot be read let everything in: the resolver has the last word. */
export function readRange(text: string): PythonRange {
  if (text.length > LONGEST) return [];
  return text.split(',').flatMap((clause) => {
    const match = CLAUSE.exec(clause.trim());
    if (match === null) return [];
    const [, operator = '', minor, rest = ''] = match;
    return [
      {
        operator,
        minor: minor === undefined ? undefined : Number(minor),
        exact: !['', '.*', '.0'].includes(rest),
        open: rest === '',
      },
    ];
  });
}

/** Whether some Python `3.<minor>` is in the range. */
export function allows(range: PythonRange, minor: number): boolean {
  return range.every(({ operator, minor: given, exact, open }) => {
    const bound = given ?? 0;
    switch (operator) {
      case '>=':
        return minor >= bound;
      case '~=':
        return exact ? minor === bound : minor >= bound;
      case '>':
        return exact ? minor >= bound : minor > bound || (open && minor === bound);
      case '<':
        return exact ? minor <= bound : minor < bound;
      case '<=':
        return minor <= bound;
      case '!=':
        return exact || given === undefined || minor !== bound;
      default:
        return given === undefined || minor === bound;
    }
  });
}
