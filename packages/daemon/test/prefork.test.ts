/** Plugins on the real SDK that are forked from a parent: the same as those that are not, and none of the bad days of parents is theirs. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { reported, reportToolPackage, toolSource } from './report-tool.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({ settings: { LOG_LEVEL: 'debug', PLUGIN_MAX_PROCESSES: '300' } });
  await daemon.install(reportToolPackage(toolSource('self_report.py')));
}, 300_000);

afterAll(async () => {
  await daemon?.close();
});

const ask = (text: string): Promise<string> => reported(daemon, text);

/** How the plugin was started last. */
async function startedBy(): Promise<string> {
  const { text } = await daemon.answer('GET', '/readyz');
  return String(Object.values(JSON.parse(text).starts ?? {})[0]);
}

/** Another process of the plugin, once the present one has ended. */
async function another(way: RegExp): Promise<void> {
  const before = await daemon.metric('plugin_starts_total');
  await ask('die');
  await eventually('it was started again', async () => {
    // A call does not wait for the pause after several ends.
    await ask('pid');
    return (await daemon.metric('plugin_starts_total')) > before || undefined;
  });
  expect(await startedBy()).toMatch(way);
}

const parents = (): number[] =>
  [...daemon.log.matchAll(/a parent is ready.*/g)].flatMap(([line]) => {
    const pid = /pid[^0-9]{1,20}(\d+)/.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });

/** How often the log has said something. */
const said = (text: string): number => daemon.log.split(text).length - 1;

const seeds = (): string[] => globSync('**/.parents/*/seed.json', { cwd: daemon.process.dataDirectory });

test('the first start is plain and says why; the next one is forked, and its process is the same', async () => {
  expect(await startedBy()).toBe('plain: there is no parent for its SDK yet');
  const plain = JSON.parse(await ask('facts'));
  await daemon.logged('a parent is ready');
  await another(/^forked$/);
  const forked = JSON.parse(await ask('facts'));
  expect(forked).toEqual(plain);
  expect(await daemon.metric('plugin_starts_total', { way: 'forked' })).toBe(1);
  expect(await daemon.metric('plugin_parents')).toBe(1);
}, 240_000);

test('calls of it can be cancelled', async () => {
  expect(daemon.log.match(/calls of this plugin can be cancelled/g)?.length).toBeGreaterThanOrEqual(2);
});

test('children of one parent do not share their randomness', async () => {
  const first = await ask('random');
  await another(/^forked$/);
  expect(await ask('random')).not.toBe(first);
});

test('a parent that is killed is replaced, and its plugins with it', async () => {
  const pid = parents().at(-1);
  if (pid === undefined) throw new Error('no parent');
  const before = parents().length;
  process.kill(pid, 'SIGKILL');
  await daemon.logged('a parent has ended');
  await eventually('another one is ready', () => parents().length > before || undefined);
  expect(await ask('random')).toMatch(/^0\./);
  expect(await startedBy()).toBe('forked');
});

test('a parent that was stopped goes on when it is needed', async () => {
  const pid = parents().at(-1);
  if (pid === undefined) throw new Error('no parent');
  process.kill(pid, 'SIGSTOP');
  await another(/^forked$/);
  expect(parents().at(-1)).toBe(pid);
});

test('a plugin whose own module hides one of the parent’s is started plainly', async () => {
  const [main] = globSync('**/examples/text_report-*@*/main.py', { cwd: daemon.process.dataDirectory });
  if (main === undefined) throw new Error('no working directory');
  const directory = join(daemon.process.dataDirectory, main, '..');
  // Without modules in it a folder hides nothing.
  mkdirSync(join(directory, 'yaml'));
  await another(/^forked$/);
  writeFileSync(join(directory, 'stringprep.py'), '# what the SDK has imported is another one\n');
  await another(/^plain: its stringprep.py would hide a module that its parent has imported$/);
  rmSync(join(directory, 'stringprep.py'));
  await another(/^forked$/);
});

test('the environment of a parent that is deleted is made anew', async () => {
  const [seed] = seeds();
  if (seed === undefined) throw new Error('no environment of a parent');
  const directory = join(daemon.process.dataDirectory, seed, '..');
  rmSync(directory, { recursive: true });
  expect(await ask('facts')).toContain('argv');
  await another(/^plain: the environment of its parent is gone$/);
  await eventually('it is there again', () => existsSync(directory) || undefined);
  await eventually('it is used', async () => {
    await ask('die');
    return (await startedBy()) === 'forked' || undefined;
  });
}, 240_000);

test('the environment of a parent may be replaced under it, and one that is broken is made anew', async () => {
  const [seed] = seeds();
  if (seed === undefined) throw new Error('no environment of a parent');
  const directory = join(daemon.process.dataDirectory, seed, '..');
  const [module = ''] = globSync('lib/python*/site-packages/dify_plugin/__init__.py', { cwd: directory });
  cpSync(directory, `${directory}.other`, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(`${directory}.other`, module), 'raise SystemError("replaced")\n');
  renameSync(directory, `${directory}.before`);
  renameSync(`${directory}.other`, directory);
  rmSync(`${directory}.before`, { recursive: true });
  // What it has imported it has.
  expect(await ask('facts')).toContain('argv');
  await another(/^forked$/);
  const parent = parents().at(-1);
  if (parent === undefined) throw new Error('no parent was told of');
  const ended = said('a parent has ended');
  process.kill(parent, 'SIGKILL');
  await eventually('its end is seen', () => said('a parent has ended') > ended || undefined);
  // What it had forked ends a moment later, and a call that it has read with it.
  await eventually('a call is answered', async () => (await ask('random')).startsWith('0.') || undefined);
  await daemon.logged('a parent did not start; its environment is made anew');
  await eventually('it is forked from another one', async () => {
    await ask('die');
    await ask('pid');
    return (await startedBy()) === 'forked' || undefined;
  });
  expect(readFileSync(join(directory, module), 'utf8')).not.toContain('replaced');
}, 240_000);

test('a parent that takes long keeps no call waiting', async () => {
  const [seed] = seeds();
  if (seed === undefined) throw new Error('no environment of a parent');
  const [site] = globSync('lib/python*/site-packages', { cwd: join(daemon.process.dataDirectory, seed, '..') });
  if (site === undefined) throw new Error('no packages in the environment of a parent');
  const slow = join(daemon.process.dataDirectory, seed, '..', site, 'sitecustomize.py');
  writeFileSync(slow, 'import time\ntime.sleep(1000)\n');
  const parent = parents().at(-1);
  if (parent === undefined) throw new Error('no parent was told of');
  process.kill(parent, 'SIGKILL');
  // What it had forked ends a moment later, and a call that it has read with it; the first start may still try the one that is gone.
  await eventually('a call is answered', async () => (await ask('random')).startsWith('0.') || undefined);
  await another(/^plain: its parent was not ready yet$/);
}, 240_000);
