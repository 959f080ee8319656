import { PackageError } from '../errors.ts';

/**
 * One character position of a pattern: a literal, any character but `/`, a class, or a star for any run without `/`.
 */
type Token =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/**
 * A matcher of whole package paths: `*` and `?` do not cross `/`, `[a-z]` and `[^a-z]` are classes, `\x` is x itself.
 * Neither braces nor `**` mean anything. @throws PackageError `syntax error in pattern`
 */
export function compileGlob(glob: string): (path: string) => boolean {
  if (!/[*?[\\]/.test(glob)) return (path) => path === glob;
  const tokens = parseGlob(glob);
  if (tokens === null) throw new PackageError('syntax error in pattern');
  return (path) => matches(tokens, [...path]);
}

/** The pattern's parts, or null when it is malformed. */
export function parseGlob(glob: string): readonly Token[] | null {
  const chars = [...glob];
  const tokens: Token[] = [];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (char === '?') {
      tokens.push({ kind: 'any' });
    } else if (char === '\\') {
      const next = chars[++i];
      if (next === undefined) return null;
      tokens.push({ kind: 'char', char: next });
    } else if (char === '[') {
      const parsed = parseClass(chars, i + 1);
      if (parsed === null) return null;
      tokens.push(parsed.token);
      i = parsed.end;
    } else {
      tokens.push({ kind: 'char', char });
    }
  }
  return tokens;
}

function parseClass(chars: readonly string[], start: number): { token: Token; end: number } | null {
  const negated = chars[start] === '^';
  const ranges: (readonly [string, string])[] = [];
  for (let i = negated ? start + 1 : start; ; i++) {
    if (chars[i] === ']' && ranges.length > 0) return { token: { kind: 'class', negated, ranges }, end: i };
    const low = classChar(chars, i);
    if (low === null) return null;
    i = low.at;
    if (chars[i + 1] !== '-') {
      ranges.push([low.char, low.char]);
      continue;
    }
    const high = classChar(chars, i + 2);
    if (high === null) return null;
    i = high.at;
    ranges.push([low.char, high.char]);
  }
}

function classChar(chars: readonly string[], at: number): { char: string; at: number } | null {
  const char = chars[at];
  if (char === undefined || char === '-' || char === ']') return null;
  if (char !== '\\') return { char, at };
  const next = chars[at + 1];
  return next === undefined ? null : { char: next, at: at + 1 };
}

/** Going back to the last star alone is enough, so the work is bounded by pattern length times path length. */
export function matches(tokens: readonly Token[], path: readonly string[]): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < path.length) {
    const current = tokens[token];
    if (current?.kind === 'star') {
      star = token++;
      starAt = at;
    } else if (current !== undefined && fits(current, path[at] ?? '')) {
      at++;
      token++;
    } else if (star >= 0 && path[starAt] !== '/') {
      at = ++starAt;
      token = star + 1;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === 'star') token++;
  return token === tokens.length;
}

function fits(token: Token, char: string): boolean {
  switch (token.kind) {
    case 'char':
      return token.char === char;
    case 'any':
      return char !== '/';
    case 'class':
      return token.negated !== token.ranges.some(([low, high]) => low <= char && char <= high);
    case 'star':
      return false;
  }
}
