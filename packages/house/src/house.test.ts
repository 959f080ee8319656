import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { checkHouse } from './check.ts';
import { houseOf, isForTests, readHouse } from './house.ts';
import { importsOf } from './imports.ts';
import { type HouseRules, rules } from './rules.ts';

const small: HouseRules = {
  packages: ['low', 'high'],
  layers: { high: [['cellar'], ['kitchen', 'hall'], ['roof']] },
  sideDoors: { 'packages/high/src/kitchen/serving-hatch.ts': 'for the hall' },
  environmentReaders: { 'packages/high/src/roof/main.ts': 'a program' },
};

const sound: Readonly<Record<string, string>> = {
  'packages/low/package.json':
    '{ "name": "@house/low", "exports": { ".": "./src/index.ts", "./extra": "./src/extra.ts" } }',
  'packages/high/package.json': '{ "name": "@house/high", "dependencies": { "@house/low": "1" } }',
  'packages/low/src/index.ts': '',
  'packages/high/src/cellar/index.ts': "export { wine } from './wine.ts';\n",
  'packages/high/src/cellar/wine.ts': 'export const wine = 1;\n',
  'packages/high/src/cellar/shelf/index.ts': '',
  'packages/high/src/cellar/testing.ts': "import { wine } from './wine.ts';\n",
  'packages/high/src/kitchen/index.ts':
    "import { wine } from '../cellar/index.ts';\nimport '../cellar/shelf/index.ts';\n",
  'packages/high/src/kitchen/serving-hatch.ts': '',
  'packages/high/src/hall/index.ts': '',
  'packages/high/src/hall/hall.test.ts': "import '../roof/main.ts';\nimport '../cellar/testing.ts';\nprocess.env.A;\n",
  'packages/high/src/roof/main.ts':
    "import '@house/low';\nimport '@house/low/extra';\nimport '../kitchen/serving-hatch.ts';\nprocess.env.A;\n",
};

/** What the sound house with these files in it breaks, as `file:line rule`. */
function broken(files: Readonly<Record<string, string>>): string[] {
  const house = houseOf(new Map(Object.entries({ ...sound, ...files })));
  return checkHouse(house, small).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

test('a sound house breaks nothing', () => {
  expect(broken({})).toEqual([]);
});

test.each([
  ['a value', "// first\nimport { wine } from '../cellar/wine.ts';\n", 2],
  ['a type', "import type { Wine } from '../cellar/wine.ts';\n", 1],
  ['over several lines', "import {\n  a,\n  type B,\n} from '../cellar/wine.ts';\n", 1],
  ['a re-export', "export * from '../cellar/wine.ts';\n", 1],
  ['on demand', "export const load = () =>\n  import('../cellar/wine.ts');\n", 2],
  ['a type in place', "let wine: import('../cellar/wine.ts').Wine;\n", 1],
])('an import past a door is found: %s', (_, text, line) => {
  expect(broken({ 'packages/high/src/hall/index.ts': text })).toEqual([
    `packages/high/src/hall/index.ts:${line} through-the-door`,
  ]);
});

test('a test comes through the door as well, except to what is there for tests', () => {
  const path = 'packages/high/src/hall/hall.test.ts';
  expect(broken({ [path]: "import '../cellar/wine.ts';\n" })).toEqual([`${path}:1 through-the-door`]);
});

test('imports that go up or sideways are found, and what has no height', () => {
  expect(broken({ 'packages/high/src/cellar/wine.ts': "import '../roof/main.ts';\n" })).toEqual([
    'packages/high/src/cellar/wine.ts:1 downwards-only',
  ]);
  expect(broken({ 'packages/high/src/hall/index.ts': "import '../kitchen/index.ts';\n" })).toEqual([
    'packages/high/src/hall/index.ts:1 downwards-only',
  ]);
  expect(broken({ 'packages/high/src/attic/index.ts': '' })).toEqual([
    'packages/high/src/attic/index.ts:1 downwards-only',
  ]);
});

test('each circle is found once, with the way around', () => {
  const files = {
    'packages/high/src/hall/a.ts': "import type { B } from './b.ts';\n",
    'packages/high/src/hall/b.ts': "import { c } from './c.ts';\n",
    'packages/high/src/hall/c.ts': "\nexport const load = () => import('./a.ts');\n",
  };
  expect(broken(files)).toEqual(['packages/high/src/hall/a.ts:1 no-circles']);
  const [found] = checkHouse(houseOf(new Map(Object.entries({ ...sound, ...files }))), small);
  expect(found?.found).toContain('hall/a.ts → packages/high/src/hall/b.ts → packages/high/src/hall/c.ts → ');
});

test.each([
  ['the inside of a package by path', 'high', "import '../../../low/src/index.ts';\n"],
  ['the inside of a package by name', 'high', "import '@house/low/src/index.ts';\n"],
  ['a package above', 'low', "import '@house/high';\n"],
])('package borders are kept: %s', (_, folder, text) => {
  const path = `packages/${folder}/src/${folder === 'high' ? 'hall/' : ''}index.ts`;
  expect(broken({ [path]: text })).toContain(`${path}:1 package-borders`);
});

test('a package that is not among the dependencies is found', () => {
  expect(broken({ 'packages/high/package.json': '{ "name": "@house/high" }' })).toEqual([
    'packages/high/src/roof/main.ts:1 package-borders',
    'packages/high/src/roof/main.ts:2 package-borders',
  ]);
});

test.each(['process.env.A;\n', "process['env'];\n", 'const { env } = process;\n'])(
  'whoever reads the environment unasked is found: %s',
  (text) => {
    const path = 'packages/high/src/hall/index.ts';
    expect(broken({ [path]: text })).toEqual([`${path}:1 no-environment`]);
    expect(broken({ [path]: ` * ${text}` })).toEqual([]);
  },
);

test('a permission that is not used is found', () => {
  expect(broken({ 'packages/high/src/roof/main.ts': '' })).toEqual(['packages/high/src/roof/main.ts:1 no-environment']);
});

test('the product does not stand on what is there for tests', () => {
  expect(isForTests('packages/daemon/src/invocation/testing.ts')).toBe(true);
  expect(isForTests('packages/daemon/src/invocation/session.ts')).toBe(false);
  expect(broken({ 'packages/high/src/cellar/index.ts': "import './testing.ts';\n" })).toEqual([
    'packages/high/src/cellar/index.ts:1 tests-apart',
  ]);
});

test('texts that look like imports are none', () => {
  expect(
    importsOf(
      "const text = `\n  import { a } from './b.ts';\n`;\n// import('./c.ts')\nexport const from = './d.ts';\n",
    ),
  ).toEqual([]);
});

test('whatever a bundler takes for an import in this repository is seen', async () => {
  const root = join(import.meta.dirname, '../../..');
  const { files } = readHouse(root);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...files.keys()],
    bundle: true,
    metafile: true,
    write: false,
    outdir: 'none',
    format: 'esm',
    logLevel: 'silent',
    plugins: [
      {
        name: 'one-file-at-a-time',
        setup: ({ onResolve }) =>
          onResolve({ filter: /.*/ }, ({ kind, path }) =>
            kind === 'entry-point' ? undefined : { path, external: true },
          ),
      },
    ],
  });
  const unseen = Object.entries(metafile.inputs).flatMap(([path, { imports }]) => {
    const file = files.get(path);
    const seen = [...(file?.links ?? []), ...(file?.bare ?? [])].map(({ specifier }) => specifier);
    return imports.filter((each) => !seen.includes(each.path)).map((each) => `${path}: ${each.path}`);
  });
  expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports).length).toBeGreaterThan(3000);
  expect(unseen).toEqual([]);
});

test('the program fails on a seeded violation and says where, what and what to do', () => {
  const root = mkdtempSync(join(tmpdir(), 'house-'));
  try {
    for (const [path, text] of Object.entries({
      'packages/daemon/package.json': '{ "name": "@plugin-daemon/daemon" }',
      'packages/daemon/src/cache/index.ts': "\nimport { http } from '../http/index.ts';\n",
      'packages/daemon/src/http/index.ts': '',
    })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    for (const path of Object.keys(rules.environmentReaders)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), 'process.env;\n');
    }
    const program = join(import.meta.dirname, 'main.ts');
    const run = () => spawnSync(process.execPath, [program, root], { encoding: 'utf8' });
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain(
      'packages/daemon/src/cache/index.ts:2 downwards-only: cache imports http, which is above it\n  → move',
    );
    cpSync(join(root, 'packages/daemon/src/http/index.ts'), join(root, 'packages/daemon/src/cache/index.ts'));
    expect(run()).toMatchObject({ status: 0, stderr: '' });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
