import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomic } from './atomic.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dify-atomic-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a file is written whole, and keeps its mode when it is replaced', async () => {
  const path = join(directory, 'file');
  writeFileSync(path, 'before', { mode: 0o600 });
  await writeFileAtomic(path, 'after');
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['after', 0o600]);
  expect(readdirSync(directory)).toEqual(['file']);
});

test('behind a link the file is written, and the link stays', async () => {
  const [file, link] = [join(directory, 'file'), join(directory, 'link')];
  writeFileSync(file, 'before');
  symlinkSync(file, link);
  await writeFileAtomic(link, 'after');
  expect([readFileSync(file, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['after', true]);
});

test('nothing takes the place of a device or a pipe: they are written to', async () => {
  const link = join(directory, 'nowhere');
  symlinkSync('/dev/null', link);
  await writeFileAtomic(link, 'content');
  expect([statSync('/dev/null').isCharacterDevice(), lstatSync(link).isSymbolicLink()]).toEqual([true, true]);
  expect(readdirSync(directory)).toEqual(['nowhere']);

  const pipe = join(directory, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const reading = spawnSync('sh', [
    '-c',
    'cat "$1" > "$1.read" & "$0" --input-type=module -e "const { writeFileAtomic } = await import(process.argv[1]); await writeFileAtomic(process.argv[2], \'content\')" "$2" "$1"; wait',
    process.execPath,
    pipe,
    new URL('./atomic.ts', import.meta.url).href,
  ]);
  expect(String(reading.stderr)).toBe('');
  expect([readFileSync(`${pipe}.read`, 'utf8'), statSync(pipe).isFIFO()]).toEqual(['content', true]);
});
