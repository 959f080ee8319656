/** The steps of the gate, with real runs of vitest over tests that fail always, once, or for want of what they begin with. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const VITEST = 'node_modules/.bin/vitest run --globals --config none --root';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-'));
  writeFileSync(join(folder, 'none'), 'export default {};');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs steps as a script of the gate would. */
function gate(steps: string): Promise<{ readonly code: number; readonly output: string }> {
  const script = `set -uo pipefail; . .ci/steps\n${steps}\nreport`;
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder, FOLDER: folder };
  return new Promise((resolve) => {
    const child = execFile('bash', ['-c', script], { cwd: REPOSITORY, env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

/** For two runs of vitest within the test. */
const PATIENT = { timeout: 600_000 };
const TESTS = `AGAIN="${VITEST} $FOLDER" tests 250 here 'the tests' ${VITEST} "$FOLDER"`;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
/** The end, from the table on. */
const endOf = (output: string): string => output.slice(output.indexOf('\nround '));

const onLinux = test.skipIf(process.platform !== 'linux'); // what the gate is written for

onLinux(
  'a test that passes in a second run, alone, is unsteady: named in the table and at the end',
  PATIENT,
  async () => {
    write('well.test.js', `test('well', () => {});`);
    const once = `import { existsSync, writeFileSync } from 'node:fs';
    const mark = ${JSON.stringify(join(folder, 'mark'))};
    const before = existsSync(mark);
    writeFileSync(mark, '');`;
    write(
      'once.test.js',
      `${once} describe('sometimes', () => { test('fails', () => { expect(before).toBe(true); }); });`,
    );
    const { code, output } = await gate(TESTS);
    const end = endOf(output);
    expect(end).toMatch(/^here +once\.test\.js +unsteady +-$/m);
    expect(end).toMatch(/^here +the tests +0 +\d+$/m);
    expect(end).toContain('1 passed, 1 unsteady, 0 failed');
    expect(end).toContain('✗ once.test.js > sometimes > fails');
    expect(end).toContain('expected false to be true');
    expect(end).toMatch(/at .*once\.test\.js:\d+/);
    expect(code).toBe(0);
  },
);

onLinux('what fails again, before its tests or between them, fails the gate', PATIENT, async () => {
  write('always.test.js', `test('fails', () => { expect(1).toBe(2); });`);
  write('broken.test.js', `import 'nothing-of-this-name'; test('never', () => {});`);
  write(
    'hook.test.js',
    `describe('a suite', () => { beforeAll(() => { throw new Error('no'); }); test('x', () => {}); });`,
  );
  const { code, output } = await gate(TESTS);
  const end = endOf(output);
  expect(code).toBe(1);
  expect(end).toContain('0 passed, 1 failed');
  for (const name of ['always.test.js > fails', 'broken.test.js', 'hook.test.js > a suite']) {
    expect(end).toContain(`fails again: ${name}`);
    expect(end).toContain(`✗ ${name}`);
  }
  expect(end).toContain('nothing-of-this-name');
});

onLinux('a step that is no test run shows the end of what it said', async () => {
  const { code, output } = await gate(`step 60 here talks bash -c 'seq 100; exit 3' || true\nstep 60 here well true`);
  const end = endOf(output);
  expect(code).toBe(1);
  expect(end).toContain('1 passed, 1 failed');
  expect(end.slice(end.indexOf('What failed:'))).toBe(
    `What failed:\n--- here: talks (exit 3)\n${Array.from({ length: 30 }, (_, n) => `${71 + n}\n`).join('')}`,
  );
});

onLinux('a test run that ends before its tests shows what it said, and is not tried again', async () => {
  const { code, output } = await gate(`tests 60 here early bash -c 'echo types are wrong; exit 2' --`);
  expect(code).toBe(1);
  expect(output).not.toContain('once more');
  expect(endOf(output)).toContain('--- here: early (exit 2)\ntypes are wrong\n');
});
