import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { atItsPlace, isWithin, viewOf } from './view.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'view-')));
  for (const path of ['opt/data/own', 'opt/python/bin', 'opt/python/lib', 'scratch/tmp', 'scratch/home'])
    mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'opt/.env'), 'KEY=1');
  writeFileSync(join(root, 'opt/python/bin/python3.12'), '');
});
afterEach(() => rmSync(root, { recursive: true }));

const view = (changes: Partial<Parameters<typeof viewOf>[0]> = {}) =>
  viewOf({
    readable: [],
    writable: [],
    hidden: [],
    pythons: [],
    own: [],
    scratch: {
      temporary: join(root, 'scratch/tmp'),
      home: join(root, 'scratch/home'),
      accounts: { passwd: '/etc/passwd', group: '/etc/group' },
    },
    ...changes,
  });

test.skipIf(process.platform === 'win32')(
  'links on the way are shown as links, what is at the end at its own place',
  () => {
    symlinkSync('opt', join(root, 'relative'));
    symlinkSync(join(root, 'relative/python'), join(root, 'absolute'));
    expect(atItsPlace(join(root, 'absolute/bin'), false)).toEqual([
      { kind: 'link', to: join(root, 'relative/python'), at: join(root, 'absolute') },
      { kind: 'link', to: 'opt', at: join(root, 'relative') },
      { kind: 'bind', from: join(root, 'opt/python/bin'), at: join(root, 'opt/python/bin') },
    ]);
    symlinkSync('loop', join(root, 'loop'));
    expect(atItsPlace(join(root, 'loop'), false)).toEqual([]);
    expect(atItsPlace(join(root, 'nothing/there'), false)).toEqual([]);
  },
);

test.skipIf(process.platform === 'win32')(
  'what is hidden is covered where a readable directory would show it, and what is own comes after',
  () => {
    const mounts = view({
      readable: [join(root, 'opt')],
      hidden: [join(root, 'opt/data'), join(root, 'opt/.env'), join(root, 'elsewhere')],
      own: [{ path: join(root, 'opt/data/own'), writable: true }],
    });
    const at = (path: string) => mounts.findIndex((mount) => mount.at === join(root, path));
    expect(mounts[at('opt/data')]).toEqual({ kind: 'tmpfs', at: join(root, 'opt/data') });
    expect(mounts[at('opt/.env')]).toMatchObject({ kind: 'bind', from: '/dev/null' });
    expect(at('opt')).toBeLessThan(at('opt/data'));
    expect(at('opt/data')).toBeLessThan(at('opt/data/own'));
    expect(mounts[at('opt/data/own')]).toMatchObject({ writable: true });
  },
);

test.skipIf(process.platform === 'win32')('an interpreter brings its installation, not what lies beside it', () => {
  mkdirSync(join(root, 'opt/data/own/bin'));
  const python = join(root, 'opt/data/own/bin/python');
  symlinkSync(join(root, 'opt/python/bin/python3.12'), python);
  const shown = view({ pythons: [python] }).flatMap((mount) => (mount.kind === 'bind' ? [mount.from] : []));
  expect(shown).toContain(join(root, 'opt/python/bin'));
  expect(shown).toContain(join(root, 'opt/python/lib'));
  expect(shown).not.toContain(join(root, 'opt'));
  expect(shown).not.toContain(join(root, 'opt/python'));
});

test('nothing of the machine is writable but what is said to be', () => {
  expect(view().flatMap((mount) => ('writable' in mount && mount.writable ? [mount.at] : []))).toEqual([
    '/tmp',
    '/var/tmp',
    '/home/plugin',
    '/dev/shm',
  ]);
});

test('within is by names, not by letters', () => {
  expect([isWithin('/a/b', '/a'), isWithin('/a', '/a'), isWithin('/ab', '/a'), isWithin('/a', '/')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});
