/** A plugin on the real SDK whose import is costly: its instances are forked from a process that has done it, and are plugins like any other. */
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventStream, eventually, TestDaemon } from './harness.ts';
import { REPORT, reported, reportRequest, reportToolPackage, toolSource } from './report-tool.ts';

const LINUX = process.platform === 'linux';
const INSTANCES = 3;
let daemon: TestDaemon;

beforeAll(async () => {
  if (!LINUX) return;
  daemon = await TestDaemon.start({
    settings: {
      LOG_LEVEL: 'debug',
      PLUGIN_INSTANCES_MAX: String(INSTANCES),
      PLUGIN_MAX_PROCESSES: '300',
      PLUGIN_CANCEL_GRACE_SECONDS: '1',
    },
  });
  await daemon.install(reportToolPackage(`${toolSource('costly_import.py')}\n${toolSource('self_report.py')}`));
  await daemon.logged('a parent is ready');
}, 300_000);

afterAll(async () => {
  await daemon?.close();
});

const ask = (text: string): Promise<string> => reported(daemon, text);
const starts = (way: string): Promise<number> => daemon.metric('plugin_starts_total', { way });

async function startedBy(): Promise<string> {
  const { text } = await daemon.answer('GET', '/readyz');
  return String(Object.values(JSON.parse(text).starts ?? {})[0]);
}

/** Another process of the plugin, once the present one has ended. */
async function another(): Promise<void> {
  const before = await daemon.metric('plugin_starts_total');
  await ask('die');
  await eventually('it was started again', async () => {
    await ask('pid');
    return (await daemon.metric('plugin_starts_total')) > before || undefined;
  });
}

/** Pids of processes as the machine counts them: the plugin that runs, and what it was forked from. */
const pids = (text: string): number[] =>
  [...daemon.log.matchAll(new RegExp(`${text}.*?pid[^0-9]{1,20}(\\d+)`, 'g'))].map(([, pid]) => Number(pid));
const parentOf = (pid: number | undefined): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test.skipIf(!LINUX)(
  'the first process becomes a template, and the next ones come from it',
  async () => {
    const plain = JSON.parse(await ask('facts'));
    await another();
    expect(await startedBy()).toBe('forked');
    await daemon.logged('has become a template');
    expect(JSON.parse(await ask('facts'))).toEqual({ ...plain, orphan: false });
    const random = await ask('random');
    await another();
    expect(await startedBy()).toBe('templated');
    expect(JSON.parse(await ask('facts'))).toEqual({ ...plain, orphan: false });
    expect(await ask('random')).not.toBe(random);
    expect(parentOf(pids('plugin is ready').at(-1))).toBe(pids('has become a template').at(-1));
    expect(await daemon.metric('plugin_templates')).toBe(1);
    expect(daemon.log.match(/calls of this plugin can be cancelled/g)?.length).toBeGreaterThanOrEqual(3);
  },
  240_000,
);

test.skipIf(!LINUX)(
  'one that does not yield to a cancelled call is replaced from the same template',
  async () => {
    const before = await starts('templated');
    const stream = new EventStream(await daemon.request('POST', REPORT, reportRequest('spin')), false);
    await stream.text(0);
    stream.leave();
    await eventually('another one runs', async () => (await starts('templated')) > before || undefined);
    await daemon.logged('its code neither waits nor ends');
    expect(await ask('random')).toMatch(/^0\./);
  },
  240_000,
);

test.skipIf(!LINUX)(
  'an environment that is deleted under it is made anew, and so is its template',
  async () => {
    const before = await starts('forked');
    const [environment] = globSync('cwd/examples/*/.venv', { cwd: daemon.process.dataDirectory });
    if (environment === undefined) throw new Error('no environment');
    rmSync(join(daemon.process.dataDirectory, environment), { recursive: true });
    expect(await ask('random')).toMatch(/^0\./);
    await another();
    await eventually('one is started that imports it', async () => (await starts('forked')) > before || undefined);
    expect(await ask('facts')).toContain('argv');
  },
  240_000,
);

test.skipIf(!LINUX)(
  'a template that is killed takes its instances along, and another process becomes one',
  async () => {
    const before = await starts('forked');
    const template = pids('has become a template').at(-1);
    if (template === undefined) throw new Error('no template was told of');
    process.kill(template, 'SIGKILL');
    await eventually('another one is started', async () => {
      await ask('pid');
      return (await starts('forked')) > before || undefined;
    });
    await eventually('it has become one', async () => (await daemon.metric('plugin_templates')) === 1 || undefined);
  },
  240_000,
);
