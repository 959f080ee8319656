import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackageError } from '../errors.ts';
import { parseYaml, type YamlNode } from './tree.ts';

type Plain = string | Plain[] | { [key: string]: Plain };

function plain(node: YamlNode | null): Plain {
  if (node === null) return '';
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'sequence') return node.items.map(plain);
  return Object.fromEntries(node.pairs.map(({ key, value }) => [String(plain(key)), plain(value)]));
}

const read = (text: string) => plain(parseYaml(text, 'f.yaml').root);

test('scalars keep their source text', () => {
  expect(read('a: 3.10\nb: 0x1F\nc: yes\nd: "3"\ne: |\n  x\n  y\nf: ~\n')).toEqual({
    a: '3.10',
    b: '0x1F',
    c: 'yes',
    d: '3',
    e: 'x\ny\n',
    f: '~',
  });
});

test('the first document counts, an empty one is nothing, a byte order mark is not content', () => {
  expect(read('a: 1\n---\nb: 2\n')).toEqual({ a: '1' });
  expect(parseYaml('', 'f').root).toBeNull();
  expect(parseYaml('# only a comment\n', 'f').root).toBeNull();
  expect(read('\ufeffa: 1')).toEqual({ a: '1' });
});

test('an alias is the node it points to', () => {
  expect(read('a: &x {k: v}\nb: *x\nc: &t text\nd: *t')).toEqual({
    a: { k: 'v' },
    b: { k: 'v' },
    c: 'text',
    d: 'text',
  });
  expect(() => read('a: *nowhere')).toThrow("yaml: unknown anchor 'nowhere' referenced");
  expect(() => read('a: &a [*a]')).toThrow("yaml: anchor 'a' value contains itself");
});

test('a billion laughs parse in no time, because nothing is copied', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `a${i}: &a${i} [${i === 0 ? 'lol' : `*a${i - 1}, *a${i - 1}`}]`);
  expect(parseYaml(lines.join('\n'), 'f').nodeCount).toBeLessThan(300);
});

test('too deep nesting is refused', () => {
  expect(() => read('['.repeat(5000))).toThrow(PackageError);
  expect(() => read(`${'a: {'.repeat(500)}`)).toThrow(PackageError);
});

test('a continued line that is indented too little is read, and noted', () => {
  const text = 'top:\n  key: "first\n  second"\n  other: 1\n';
  const document = parseYaml(text, 'f');
  expect(plain(document.root)).toEqual({ top: { key: 'first second', other: '1' } });
  expect(document.repairs.map((repair) => repair.line)).toEqual([3]);
  expect(read('a: "x\n\ty"\nb: [1,\n2]\n')).toEqual({ a: 'x y', b: ['1', '2'] });
});

test('places are those of the file, repairs or not', () => {
  const document = parseYaml('a: "x\ny"\nb:\n  - c: d\n', 'f');
  const root = document.root;
  const list = root?.kind === 'mapping' ? root.pairs[1]?.value : undefined;
  const item = list?.kind === 'sequence' ? list.items[0] : undefined;
  const value = item?.kind === 'mapping' ? item.pairs[0]?.value : undefined;
  expect(document.positions.of(value?.at ?? 0)).toEqual({ line: 4, column: 8 });
});

test('a syntax error names file, line and column', () => {
  try {
    parseYaml('a: 1\nb: @x\n', 'bad.yaml');
  } catch (error) {
    expect(error).toMatchObject({ file: 'bad.yaml', line: 2, column: 4 });
    expect(String(error)).toMatch(/yaml: line 2: /);
    return;
  }
  throw new Error('parsed');
});

test('no text makes the reader fail with anything but a PackageError', () => {
  const fragment = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '<<',
    '|',
    '>',
    '#',
    '\t',
    '!!int',
    '%',
    '---',
    ',',
    '?',
    '~',
    '\u0000',
    '\u2028',
    '1',
    'é',
    '\r',
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 40 }), (parts) => {
      try {
        parseYaml(parts.join(''), 'f');
      } catch (error) {
        expect(error).toBeInstanceOf(PackageError);
      }
    }),
    { numRuns: 5000 },
  );
});

test('many lines in need of repair do not take forever', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `k${i}: "a\nb"`);
  expect(() => parseYaml(lines.join('\n'), 'f')).toThrow('yaml: line 402: deficient indentation');
});
