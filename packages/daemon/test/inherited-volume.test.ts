/** A volume on which packages and working directories are not as a daemon has left them: what can run runs, what cannot says why. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestDaemon, temporaryDirectory } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

interface Places {
  /** The uploaded package, its installed copy, the working directory. */
  readonly uploaded: string;
  readonly copy: string;
  readonly working: string;
  /** On another disk. */
  readonly elsewhere: string;
}

const CUT = 1000;
const remove = (path: string): void => rmSync(path, { recursive: true });

/** By name of the plugin: what happened to it, and what it fails with where it cannot run. */
const fates: Readonly<Record<string, { readonly fate: (at: Places) => void; readonly fails?: string }>> = {
  whole: { fate: () => undefined },
  empty: {
    fate: ({ uploaded, working }) => {
      truncateSync(uploaded, 0);
      remove(working);
    },
  },
  cut: {
    fate: ({ uploaded, working }) => {
      truncateSync(uploaded, CUT);
      remove(working);
    },
  },
  cleared: {
    fate: ({ uploaded, working }) => {
      remove(uploaded);
      remove(working);
    },
  },
  unpacked: {
    fate: ({ uploaded, copy }) => {
      remove(uploaded);
      remove(copy);
    },
  },
  moved: {
    fate: ({ working, elsewhere }) => {
      renameSync(working, elsewhere);
      symlinkSync(elsewhere, working);
    },
  },
  unmounted: {
    fate: ({ working, elsewhere }) => {
      remove(working);
      symlinkSync(elsewhere, working);
    },
  },
  flagless: {
    fate: ({ working }) => {
      const flag = join(working, '.venv', 'dify', 'plugin.json');
      remove(flag);
      mkdirSync(flag);
    },
  },
  gone: {
    fate: ({ uploaded, copy, working }) => {
      remove(uploaded);
      remove(copy);
      remove(working);
    },
    fails: 'plugin package not found, please upload it firstly',
  },
  damaged: {
    fate: ({ uploaded, copy, working }) => {
      truncateSync(uploaded, CUT);
      truncateSync(copy, CUT);
      remove(working);
    },
    fails: 'the stored package is damaged',
  },
  barred: {
    fate: ({ working }) => {
      remove(working);
      writeFileSync(working, 'a file');
    },
    fails: 'not a directory',
  },
};

test('plugins of a volume that others have worked on run wherever something is left to run, beside those that cannot', async () => {
  using disk = temporaryDirectory();
  await using daemon = await TestDaemon.start();
  const { dataDirectory } = daemon.process;
  const places = new Map<string, Places>();
  for (const name of Object.keys(fates)) {
    const identifier = await daemon.install(rudePackage(name));
    const at = (prefix: string) => join(dataDirectory, 'storage', prefix, identifier);
    const working = join(dataDirectory, 'cwd', identifier.replace(':', '-'));
    places.set(name, {
      uploaded: at('plugin_packages'),
      copy: at('plugin'),
      working,
      elsewhere: join(disk.path, name),
    });
    expect(existsSync(working)).toBe(true);
  }
  await daemon.process.stop();
  for (const [name, at] of places) fates[name]?.fate(at);
  await daemon.process.start();

  for (const [name, { fails }] of Object.entries(fates)) {
    const { status, received } = await daemon.call(name, 'echo', { parameters: { text: 'hi' } });
    const said = `${name}: ${status} ${received}`;
    if (fails === undefined) expect(said).toContain('"text":"hi"');
    else expect(said).toContain(fails);
  }
  expect(await daemon.client().list()).toHaveLength(Object.keys(fates).length);
  // What was found is left as it was.
  expect(statSync(places.get('cut')?.uploaded ?? '').size).toBe(CUT);
  expect(existsSync(join(places.get('moved')?.elsewhere ?? '', 'main.py'))).toBe(true);
  expect(statSync(places.get('barred')?.working ?? '').isFile()).toBe(true);
});
