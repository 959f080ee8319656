import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCompiled } from './compiled-code.ts';

const SOURCE = `
const { basename } = require('node:path');
let calls = 0;
module.exports = { name: basename(__filename), own: module.filename, call() { ${'calls += Math.min(1, calls + 1);'.repeat(500)} return calls; } };`;

let directory: string;
let file: string;
let kept: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compiled-'));
  file = join(directory, 'some.js');
  kept = join(directory, 'a/compiled');
  writeFileSync(file, SOURCE);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const load = () => loadCompiled(file, { directory: kept, underSameFlags: (task) => task() });

function keptFile(): string {
  const [name, ...others] = readdirSync(kept);
  expect(others).toEqual([]);
  return join(kept, name ?? '');
}

/** Has it compiled, run, and kept. */
function keepOnce(): string {
  const first = load();
  expect(first.wasKept).toBe(false);
  expect(first.exports).toMatchObject({ name: 'some.js', own: file });
  const { call } = first.exports as { call: () => number };
  expect(call()).toBe(500);
  first.keep();
  return keptFile();
}

test('what was compiled is used at the next start, with the functions that had run', () => {
  load().keep();
  const unused = statSync(keptFile()).size;
  rmSync(keptFile());
  const ran = statSync(keepOnce());
  expect(ran.size).toBeGreaterThan(unused + 1000);
  const next = load();
  expect(next.wasKept).toBe(true);
  expect((next.exports as { call: () => number }).call()).toBe(500);
  next.keep();
  expect(statSync(keptFile()).ino).toBe(ran.ino);
});

test.each([
  ['is damaged', (bytes: Buffer) => Buffer.from(bytes).fill(0x55, bytes.length - 200, bytes.length - 190)],
  ['is cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
  ['is cut within its hash', (bytes: Buffer) => bytes.subarray(0, 7)],
  ['is empty', () => Buffer.alloc(0)],
])('compiled code that %s is not given to the engine, and made anew', (_how, damage) => {
  const path = keepOnce();
  const whole = readFileSync(path);
  writeFileSync(path, damage(whole));
  const next = load();
  expect(next.wasKept).toBe(false);
  next.keep();
  expect(load().wasKept).toBe(true);
});

test('compiled code of another content is not used, though it is as long', () => {
  keepOnce();
  writeFileSync(file, SOURCE.replaceAll('Math.min(1', 'Math.min(2'));
  const changed = load();
  expect(changed.wasKept).toBe(false);
  expect((changed.exports as { call: () => number }).call()).toBeGreaterThan(500);
});

test('where nothing can be kept it is compiled at each start', () => {
  writeFileSync(join(directory, 'a'), 'a file where the directory would be');
  const first = load();
  first.keep();
  expect(load().wasKept).toBe(false);
});

test('the flags of the start and those afterwards differ, and what is kept is for the start', () => {
  const script = `
    import { loadCompiled } from ${JSON.stringify(new URL('./compiled-code.ts', import.meta.url).href)};
    import { asAtStart, holdBackForStart, releaseAfterStart } from ${JSON.stringify(new URL('./heap/index.ts', import.meta.url).href)};
    holdBackForStart();
    const loaded = loadCompiled(${JSON.stringify(file)}, { directory: ${JSON.stringify(kept)}, underSameFlags: asAtStart });
    releaseAfterStart();
    loaded.keep();
    console.log(loaded.wasKept);`;
  const start = () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
  expect(start()).toBe('false');
  expect(start()).toBe('true');
  keptFile();
});
