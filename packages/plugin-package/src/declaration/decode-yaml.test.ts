import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackageError } from '../errors.ts';
import { parseYaml } from '../yaml/index.ts';
import { decodeYaml } from './decode-yaml.ts';
import {
  any,
  boolean,
  decimal,
  float,
  int,
  list,
  map,
  nullable,
  object,
  type Shape,
  text,
  timestamp,
  uint64,
  zero,
} from './shape.ts';
import { manifest, modelProvider, toolProvider } from './shapes/index.ts';
import type { Json } from './types.ts';

const decode = (shape: Shape<unknown>, source: string) => decodeYaml(parseYaml(source, 'f.yaml'), shape).value;

/** The value of the only field of an object, from its YAML text. */
function field(shape: Shape<unknown>, source: string): unknown {
  const holder = object<{ v: unknown }>('Holder', { v: nullable(shape, 'V') });
  return (decode(holder, `v: ${source}`) as { v: unknown }).v;
}

const json = (value: unknown) => JSON.stringify(value);

test.each<[Shape<unknown>, string, unknown]>([
  [text, '3.10', '3.10'],
  [text, 'true', 'true'],
  [text, '0x1F', '0x1F'],
  [text, '2026-01-02', '2026-01-02'],
  [text, '~', null],
  [text, '"~"', '~'],
  [text, '!!str 5', '5'],
  [boolean, 'True', true],
  [boolean, 'off', false],
  [boolean, '"yes"', true],
  [boolean, 'null', null],
  [int, '0x1F', 31],
  [int, '0b101', 5],
  [int, '0o17', 15],
  [int, '017', 15],
  [int, '1_000', 1000],
  [int, '1.5e3', 1500],
  [int, '.5', 0],
  [int, '-7', -7],
  [int, '08', 8],
  [float, '1', 1],
  [float, '2.50', 2.5],
  [any, 'yes', 'yes'],
  [any, 'true', true],
  [any, '1.50', 1.5],
  [any, '2026-03-04', '2026-03-04T00:00:00Z'],
  [any, '2026-3-4 5:6:7.50', '2026-03-04T05:06:07.5Z'],
  [any, '[1, ~, {a: b}]', [1, null, { a: 'b' }]],
  [any, '1_0', 10],
  [any, '"1"', '1'],
  [map, '{1: {2: x}}', { 1: { 2: 'x' } }],
  [list(text), '[1, true, 2.50, null]', ['1', 'true', '2.50']],
  [list(text), '[]', []],
  [timestamp, '2026-01-02T03:04:05.120+02:00', '2026-01-02T03:04:05.12+02:00'],
  [timestamp, '"2026-01-02T03:04:05Z"', '2026-01-02T03:04:05Z'],
  [timestamp, '2026-01-02', '2026-01-02T00:00:00Z'],
  [decimal, "'0.50'", '0.5'],
  [decimal, '1e-6', '0.000001'],
  [decimal, '0.00', '0'],
  [decimal, '-1.50E+2', '-150'],
])('a field of kind $kind reads %s', (shape, source, value) => {
  expect(field(shape, source)).toEqual(value);
});

test('integers up to 2^64 keep their digits', () => {
  expect(json(field(any, '18446744073709551615'))).toBe('18446744073709551615');
  expect(json(field(uint64, '18446744073709551615'))).toBe('18446744073709551615');
  expect(json(field(any, '9007199254740993'))).toBe('9007199254740993');
});

test.each<[Shape<unknown>, string, string]>([
  [boolean, '"true"', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `true` into bool'],
  [boolean, '1', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `1` into bool'],
  [boolean, 'oN', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `oN` into bool'],
  [int, '"1"', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `1` into int'],
  [int, '.inf', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `.inf` into int'],
  [uint64, '-1', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `-1` into uint64'],
  [float, '"1"', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `1` into float64'],
  [float, '.nan', 'json: unsupported value: NaN'],
  [any, '-.inf', 'json: unsupported value: -Inf'],
  [any, '{1: a}', 'json: unsupported type: map[interface {}]interface {}'],
  [text, '[a]', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string'],
  [list(text), 'provider.yaml', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `provide...` into []string'],
  [
    timestamp,
    'yesterday',
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  ],
  [timestamp, '"2024-01-01"', 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
  [decimal, 'abc', "error decoding string 'abc': can't convert abc to decimal"],
  [decimal, '1e999999999', "error decoding string '1e999999999': can't convert 1e999999999 to decimal"],
])('a field of kind $kind refuses %s', (shape, source, message) => {
  expect(() => field(shape, source)).toThrow(expect.objectContaining({ name: 'PackageError', message }));
});

const pair = object<{ a: string; b: number; c: Json }>('Pair', {
  a: zero(text, 'A'),
  b: zero(int, 'B'),
  c: nullable(any, 'C'),
});

test('all mismatches of a file are collected', () => {
  expect(() => decode(pair, 'a: []\nb: x\nc: 1')).toThrow(
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string\n  line 2: cannot unmarshal !!str `x` into int',
  );
});

test('unknown keys are not looked at, not even for repetitions', () => {
  expect(decode(pair, 'a: 1\nextra: {x: 1, x: 2}\n')).toEqual({ a: '1', b: 0, c: null });
  expect(() => decode(pair, 'a: 1\na: 2\n')).toThrow('line 2: mapping key "a" already defined at line 1');
  expect(() => decode(pair, 'c: {k: 1, k: 2}\n')).toThrow('mapping key "k" already defined');
});

test('merge keys are looked through, own keys win', () => {
  expect(decode(pair, 'x: &x {a: base, b: 1}\n<<: *x\nb: 2')).toEqual({ a: 'base', b: 2, c: null });
  expect(decode(pair, '<<: [{a: first}, {a: second, b: 3}]')).toEqual({ a: 'first', b: 3, c: null });
  expect(() => decode(pair, '<<: text')).toThrow('map merge requires map or sequence of maps as the value');
});

test('an alias bomb in a field of no type is refused', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `l${i}: &l${i} [${i === 0 ? 'x' : `*l${i - 1}, *l${i - 1}`}]`);
  expect(() => decode(pair, `${lines.join('\n')}\nc: *l29`)).toThrow('yaml: document contains excessive aliasing');
});

test('a key called __proto__ is a key', () => {
  const { c } = decode(pair, 'c: {__proto__: {polluted: true}}') as { c: object };
  expect(Object.keys(c)).toEqual(['__proto__']);
  expect('polluted' in {}).toBe(false);
});

test('credentials are taken from the old key when the new one is absent, empty or a scalar', () => {
  const old = 'credentials_for_provider: {k: {type: text-input}}';
  for (const own of [
    '',
    'credentials_schema:',
    'credentials_schema: []',
    'credentials_schema: {}',
    'credentials_schema: x',
  ]) {
    const provider = decode(toolProvider, `${own}\n${old}`) as { credentials_schema: { name: string }[] };
    expect(provider.credentials_schema.map((one) => one.name)).toEqual(['k']);
  }
});

test('the key of a credential map is its name, values that are no mappings are skipped', () => {
  const { credentials_schema } = decode(
    toolProvider,
    'credentials_schema: {a: text, b: {name: inner, type: select}, c: {type: boolean}}',
  ) as { credentials_schema: { name: string; type: string }[] };
  expect(credentials_schema.map(({ name, type }) => [name, type])).toEqual([
    ['b', 'select'],
    ['c', 'boolean'],
  ]);
});

test('paths are read from lists as text, whatever they look like', () => {
  const { references } = decodeYaml(parseYaml('tools: [a.yaml, 7, ~, {identity: {name: x}}]', 'f'), toolProvider);
  expect(references.files.map((file) => file.path)).toEqual(['a.yaml', '7', '~']);
});

test('models may be a map of groups', () => {
  const source =
    'models: {rerank: {position: p, predefined: [x, y]}, video: {predefined: [z]}, llm: {predefined: [w]}}';
  const { references, value } = decodeYaml(parseYaml(source, 'f'), modelProvider);
  expect(references.modelGlobs.map((glob) => glob.path)).toEqual(['x', 'y', 'w']);
  expect([...references.positions.keys()]).toEqual(['rerank']);
  expect(value).toMatchObject({ models: [] });
});

test('no manifest makes the decoder fail with anything but a PackageError', () => {
  const keys = [
    'version',
    'label',
    'plugins',
    'tools',
    'meta',
    'runner',
    'tags',
    'created_at',
    'model',
    'models',
    'resource',
    'memory',
    'tool',
    'credentials_schema',
    'endpoint',
    'endpoints',
    'trigger',
    'llm',
    'position',
    '<<',
    'default',
  ];
  const leaf = fc.constantFrom(
    '1',
    'text',
    '"q"',
    '~',
    '2026-01-01',
    'yes',
    '.inf',
    '[]',
    '{}',
    '0x',
    '1e400',
    '-',
    '*a',
    '!!int x',
  );
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc
        .array(fc.tuple(fc.constantFrom(...keys), tie('node')), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
    ),
  }));
  fc.assert(
    fc.property(node, (source) => {
      try {
        decode(manifest, source);
      } catch (error) {
        expect(error).toBeInstanceOf(PackageError);
      }
    }),
    { numRuns: 3000 },
  );
});
