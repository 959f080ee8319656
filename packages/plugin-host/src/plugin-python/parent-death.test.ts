/** A parent whose daemon is killed while the parent imports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const OPENER = `
const { ForkParent } = await import(process.argv[1]);
const { parentProgram } = await import(process.argv[2]);
const program = parentProgram('/usr/bin/python3', { PATH: '/usr/bin:/bin', PYTHONPATH: process.argv[3] });
// One that stands still once it has imported everything does so by itself here.
const args = program.args.map((text) => text.replace('answer(ready=True', 'os.kill(os.getpid(), signal.SIGSTOP)\\nanswer(ready=True'));
await ForkParent.open({ ...program, args });
`;
let directory: string;
let opener: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parent-death-'));
  mkdirSync(join(directory, 'dify_plugin'));
  writeSdk('time.sleep(10000)');
});

/** An SDK that tells of its import, and what it does then. */
function writeSdk(then: string): void {
  const sdk = `import os, time
with open(${JSON.stringify(join(directory, 'draft'))}, "w") as file: file.write(str(os.getpid()))
os.rename(${JSON.stringify(join(directory, 'draft'))}, ${JSON.stringify(join(directory, 'pid'))})
${then}
`;
  writeFileSync(join(directory, 'dify_plugin/__init__.py'), sdk);
}
afterEach(() => {
  opener?.kill('SIGKILL');
  const pid = pidOfImport();
  if (pid > 0 && stateOf(pid) === 'T') process.kill(pid, 'SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function pidOfImport(): number {
  try {
    return Number(readFileSync(join(directory, 'pid'), 'utf8'));
  } catch {
    return 0; // it has not begun
  }
}

/** `R`, `S`, `T` …; undefined when there is no such process. */
function stateOf(pid: number): string | undefined {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function open(): ChildProcess {
  const modules = ['../launcher/index.ts', './parent-script.ts'].map((path) => join(import.meta.dirname, path));
  const args = ['--input-type=module', '-e', OPENER, ...modules, directory];
  opener = spawn(process.execPath, args, { stdio: 'inherit' });
  return opener;
}

test.skipIf(process.platform !== 'linux')('that stands still ends with it', async () => {
  const daemon = open();
  await expect.poll(pidOfImport).toBeGreaterThan(0);
  const pid = pidOfImport();
  process.kill(pid, 'SIGSTOP');
  await expect.poll(() => stateOf(pid)).toBe('T');
  daemon.kill('SIGKILL');
  // Who adopts it may take its time to collect it.
  await expect.poll(() => stateOf(pid)).toBeOneOf([undefined, 'Z']);
});

test.skipIf(process.platform !== 'linux')(
  'that stands still when it has imported everything ends with it, too',
  async () => {
    writeSdk('');
    const daemon = open();
    await expect.poll(pidOfImport).toBeGreaterThan(0);
    const pid = pidOfImport();
    await expect.poll(() => stateOf(pid)).toBe('T');
    daemon.kill('SIGKILL');
    await expect.poll(() => stateOf(pid)).toBeOneOf([undefined, 'Z']);
  },
);
