import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createMetrics } from '../../telemetry/index.ts';
import { storageConformance } from '../conformance.suite.ts';
import { measured, objectKey, openLocalStorage } from '../index.ts';
import { storageError } from './file-errors.ts';
import { assertNames } from './names.ts';

const root = mkdtempSync(join(tmpdir(), 'local-storage-'));
afterAll(() => rmSync(root, { recursive: true }));

storageConformance('local', async () => ({
  storage: await openLocalStorage({ root: join(root, 'conformance'), nodeId: 'node' }),
  close: async () => {},
}));

test('a file system that refuses the names of objects, or changes them, is found at start, with the remedy', async () => {
  const at = join(root, 'names', 'below');
  mkdirSync(at, { recursive: true });
  await assertNames(at, root);
  expect(readdirSync(at)).toEqual([]);
  // Names that every file system refuses, or keeps under another name, stand for those with a colon.
  await expect(assertNames(at, root, 'n'.repeat(300))).rejects.toMatchObject({
    message: expect.stringContaining('ENAMETOOLONG'),
    remedy: expect.stringMatching(/SMB shares, exFAT and NTFS .* PLUGIN_STORAGE_LOCAL_ROOT/),
  });
  await expect(assertNames(at, root, '../below/plain')).rejects.toMatchObject({
    message: expect.stringContaining('it keeps them under other names'),
  });
  expect(readdirSync(at)).toEqual([]);
  const refused = Object.assign(new Error('EINVAL: invalid argument'), { code: 'EINVAL' });
  expect(storageError('write', 'plugin_packages/a:1@b', refused)).toMatchObject({
    remedy: expect.stringContaining('NTFS'),
  });
  expect(storageError('write', 'plugin_packages/a', refused).remedy).toBeUndefined();
});

test('a file has the name of its key, and existing files are objects', async () => {
  const at = join(root, 'layout');
  mkdirSync(join(at, 'plugin', 'acme'), { recursive: true });
  writeFileSync(join(at, 'plugin', 'acme', 'demo:0.0.1@00'), 'old');
  const storage = await openLocalStorage({ root: at, nodeId: 'node' });
  expect(await storage.list('plugin')).toEqual(['acme/demo:0.0.1@00']);
  await storage.write('assets/00ff.svg', Buffer.from('icon'));
  expect(readFileSync(join(at, 'assets', '00ff.svg'), 'utf8')).toBe('icon');
  expect(statSync(join(at, 'assets', '00ff.svg')).mode & 0o777).toBe(0o644 & ~process.umask());
});

test('what a killed process left half-written is not listed, and goes when it is old', async () => {
  const at = join(root, 'crashed');
  const before = await openLocalStorage({ root: at, nodeId: 'killed' });
  await before.write('a', Buffer.from(''));
  const [scratch = ''] = readdirSync(at).filter((name) => name.startsWith('.'));
  const [half, older] = [join(at, scratch, 'killed', 'half'), join(at, scratch, 'from an earlier version')];
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const file of [half, older]) {
    writeFileSync(file, 'half');
    utimesSync(file, twoHoursAgo, twoHoursAgo);
  }
  utimesSync(join(at, scratch, 'killed'), twoHoursAgo, twoHoursAgo);
  expect(await before.list('')).toEqual(['a']);
  await openLocalStorage({ root: at, nodeId: 'next' });
  expect(readdirSync(join(at, scratch))).toEqual(['next']);
});

test('a second node leaves alone what the first one is writing', async () => {
  const at = join(root, 'shared');
  const first = await openLocalStorage({ root: at, nodeId: 'first' });
  async function* slowly() {
    yield Buffer.from('be');
    await openLocalStorage({ root: at, nodeId: 'second' });
    yield Buffer.from('gun');
  }
  await first.write('a', slowly());
  expect((await first.read('a'))?.toString()).toBe('begun');
});

test('nodes that start while one writes take no write from it', async () => {
  const storage = await openLocalStorage({ root: join(root, 'starting'), nodeId: 'writes' });
  await storage.write('from', Buffer.from('x'));
  let over = false;
  const others = Promise.all(
    [1, 2, 3].map(async (n) => {
      while (!over) await (await openLocalStorage({ root: join(root, 'starting'), nodeId: `starts-${n}` })).close();
    }),
  );
  try {
    for (let n = 0; n < 300; n++) {
      await storage.write(`written/${n}`, Buffer.from('x'));
      await storage.copy('from', `copied/${n}`);
    }
  } finally {
    over = true;
    await others;
  }
  expect((await storage.list('copied')).length + (await storage.list('written')).length).toBe(600);
  await storage.close();
});

test('links to files are objects, dangling ones are not', async () => {
  const at = join(root, 'links');
  const storage = await openLocalStorage({ root: at, nodeId: 'node' });
  await storage.write('real', Buffer.from('1'));
  symlinkSync(join(at, 'real'), join(at, 'link'));
  symlinkSync(join(at, 'nowhere'), join(at, 'dangling'));
  expect((await storage.list('')).toSorted()).toEqual(['link', 'real']);
});

test('a key below an object, and a name over the limit, are explained', async () => {
  const storage = await openLocalStorage({ root: join(root, 'conflict'), nodeId: 'node' });
  await storage.write('a', Buffer.from('1'));
  await expect(storage.write('a/b', Buffer.from('2'))).rejects.toMatchObject({
    remedy: expect.stringMatching(/another key/),
  });
  await storage.write('c/d', Buffer.from('1'));
  await expect(storage.write('c', Buffer.from('2'))).rejects.toMatchObject({
    remedy: expect.stringMatching(/another key/),
  });
  await expect(storage.write('x'.repeat(256), Buffer.from(''))).rejects.toThrow(/too long/);
  expect(await storage.exists('x'.repeat(256))).toBe(false);
});

test('a root that is no directory is explained', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(openLocalStorage({ root: join(root, 'file'), nodeId: 'node' })).rejects.toThrow(
    /cannot open .*file in the local storage/,
  );
});

/** A file system of its own, or undefined where this user may not mount one. */
function mountSmall(at: string, size: string): (() => void) | undefined {
  mkdirSync(at, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', at], { stdio: 'ignore' });
  } catch {
    console.log('skipped: this user may not mount a file system');
    return undefined;
  }
  return () => execFileSync('umount', ['-l', at]);
}

test('a full disk fails one write, names itself, and leaves everything as it was', async ({ skip }) => {
  const at = join(root, 'full');
  const unmount = mountSmall(at, '256k') ?? skip();
  try {
    const storage = await openLocalStorage({ root: at, nodeId: 'node' });
    await storage.write('a', Buffer.alloc(100_000, 1));
    await expect(storage.write('a', Buffer.alloc(300_000, 2))).rejects.toMatchObject({
      message: expect.stringContaining('the file system is full'),
      remedy: expect.stringContaining('PLUGIN_STORAGE_LOCAL_ROOT'),
    });
    expect(await storage.read('a')).toEqual(Buffer.alloc(100_000, 1));
    await storage.write('b', Buffer.alloc(100_000, 3));
    expect((await storage.list('')).toSorted()).toEqual(['a', 'b']);
  } finally {
    unmount();
  }
});

test('a prefix may be a mount of its own', async ({ skip }) => {
  const at = join(root, 'mounted');
  const unmount = mountSmall(join(at, 'persistence'), '256k') ?? skip();
  try {
    const storage = await openLocalStorage({ root: at, nodeId: 'node' });
    await storage.write('persistence/t/p/key', Buffer.from('1'));
    expect(await storage.read('persistence/t/p/key')).toEqual(Buffer.from('1'));
    await expect(storage.write('persistence/t/p/key', Buffer.alloc(300_000))).rejects.toThrow(/full/);
    expect(await storage.list('persistence')).toEqual(['t/p/key']);
    expect(await storage.read('persistence/t/p/key')).toEqual(Buffer.from('1'));
  } finally {
    unmount();
  }
});

test('keys are joined as existing objects were named', () => {
  expect(objectKey('./plugin', 'a/b:1@c')).toBe('plugin/a/b:1@c');
  expect(objectKey('/abs//prefix/', 'x')).toBe('abs/prefix/x');
  expect(() => objectKey('persistence', 'tenant', '../other')).toThrow(/invalid storage key/);
  expect(() => objectKey('', '.')).toThrow(/invalid storage key/);
  expect(objectKey('persistence', 'a..b')).toBe('persistence/a..b');
});

test('measured storage counts successes and failures', async () => {
  const metrics = createMetrics({ enabled: true });
  const storage = measured(await openLocalStorage({ root: join(root, 'measured'), nodeId: 'node' }), metrics);
  await storage.write('a', Buffer.from('1'));
  expect(await storage.read('a')).toEqual(Buffer.from('1'));
  await expect(storage.read('..')).rejects.toThrow();
  const page = await metrics.render();
  expect(page).toContain('storage_operations_total{operation="save",storage_type="local",status="success"} 1');
  expect(page).toContain('storage_operations_total{operation="load",storage_type="local",status="error"} 1');
  expect(page).toContain('storage_operation_duration_seconds_count{operation="load",storage_type="local"} 2');
});
