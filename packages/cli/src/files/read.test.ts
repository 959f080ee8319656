import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNamedFile, readNamedFileSync } from './read.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
let directory: string;
let pipe: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dify-read-'));
  pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterAll(() => rmSync(directory, { recursive: true }));

test('files are read', async () => {
  const path = join(directory, 'file');
  writeFileSync(path, 'content');
  expect((await readNamedFile(path)).toString()).toBe('content');
  expect(readNamedFileSync(path).toString()).toBe('content');
});

describe('what has no end, or no beginning', () => {
  test.each([
    ['a pipe', () => pipe],
    ['a device', () => '/dev/zero'],
    ['a device', () => '/dev/null'],
  ])('%s is refused', async (kind, path) => {
    const refusal = { code: 'not-a-file', message: `${path()} is ${kind}, not a file`, remedy: expect.any(String) };
    await expect(readNamedFile(path())).rejects.toMatchObject(refusal);
    expect(() => readNamedFileSync(path())).toThrow(expect.objectContaining(refusal));
  });

  test.each([
    ['plugin', 'validate'],
    ['plugin', 'checksum'],
    ['signature', 'verify'],
  ])('dify %s %s ends for both', async (...command) => {
    for (const path of [pipe, '/dev/zero']) {
      const child = spawn(process.execPath, [MAIN, ...command, path], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      const [code] = await once(child, 'close');
      expect([code, said]).toEqual([expect.toBeOneOf([1, 3]), expect.stringContaining('not a file')]);
    }
  });
});

test.runIf(existsSync('/proc/self/fd'))(
  'what a shell hands over is read; while nothing comes, the second signal ends the command',
  async () => {
    // Read and written by us, so that it never ends.
    const stdin = openSync(pipe, 'r+');
    const child = spawn(process.execPath, [MAIN, 'plugin', 'validate', '/dev/stdin'], {
      stdio: [stdin, 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    const opened = (): number =>
      readdirSync(`/proc/${child.pid}/fd`).filter((fd) => {
        try {
          return readlinkSync(`/proc/${child.pid}/fd/${fd}`) === pipe;
        } catch {
          return false;
        }
      }).length;
    // Once as its input, once to be read.
    while (opened() < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const signals = setInterval(() => child.kill('SIGINT'), 100);
    expect(await ended).toEqual([null, 'SIGINT']);
    clearInterval(signals);
    closeSync(stdin);
  },
);
