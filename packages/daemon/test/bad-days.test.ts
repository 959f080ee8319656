/**
 * Plugins on the real SDK that do harm, in each way that their processes come about: they end with all they have started, the next process
 * answers, and no call of another plugin fails meanwhile.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, processesBelow, TestDaemon } from './harness.ts';
import { Bystander, REPORT, reported, reportRequest, reportToolPackage, toolSource } from './report-tool.ts';

const LINUX = process.platform === 'linux';
const WAYS = [
  { way: 'plain', settings: { PLUGIN_PREFORK: 'false' }, source: 'self_report.py', several: 1 },
  { way: 'forked', settings: {}, source: 'self_report.py', several: 1 },
  { way: 'templated', settings: {}, source: 'costly_import.py', several: 3 },
] as const;
/** What is asked of it, and what it says if it lives to say it. Without control groups many small processes may meet the limit of memory first. */
const HARMS = {
  bomb: /no more|used more than its memory limit/,
  hog: /used more than its memory limit/,
  mute: /closed its stdout/,
  mask: /blocked/,
  orphan: /left/,
  deaf: /deaf/,
  busy: /busy/,
} as const;

/** `T` of one that was stopped; undefined when it has ended. */
function stateOf(pid: number): string | undefined {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

describe.skipIf(!LINUX).each(WAYS)('$way', ({ way, settings, source, several }) => {
  let daemon: TestDaemon;
  let bystander: Bystander;
  let quiet: number;

  beforeAll(async () => {
    daemon = await TestDaemon.start({
      settings: {
        LOG_LEVEL: 'debug',
        PLUGIN_MAX_PROCESSES: '300',
        PLUGIN_INSTANCES_MAX: String(several),
        PLUGIN_CANCEL_GRACE_SECONDS: '1',
        ...settings,
      },
    });
    const tool = source === 'self_report.py' ? '' : `${toolSource(source)}\n`;
    await daemon.install(reportToolPackage(`${tool}${toolSource('self_report.py')}`));
    await Bystander.install(daemon);
    if (way !== 'plain') await daemon.logged('a parent is ready');
    await eventually('it is started in this way', async () => {
      await reported(daemon, 'die');
      await reported(daemon, 'pid');
      return (await daemon.metric('plugin_starts_total', { way })) > 0 || undefined;
    });
    quiet = daemon.processes().length;
  }, 300_000);

  afterAll(async () => {
    await daemon?.close();
  });

  const of = (name: string) => processesBelow(daemon.process.dataDirectory, `/examples/${name}-`);

  /** The next process of it answers, and nothing is left of the one before. */
  async function startedAnew(): Promise<void> {
    const before = await daemon.metric('plugin_starts_total', { way });
    await reported(daemon, 'die');
    await eventually('the next one answers, started in the same way', async () => {
      const answers = /^\d+$/.test(await reported(daemon, 'pid'));
      return (answers && (await daemon.metric('plugin_starts_total', { way })) > before) || undefined;
    });
    // One more may be starting, because there are several.
    await eventually('nothing is left of it', () => daemon.processes().length <= quiet + several || undefined);
  }

  test.each(Object.entries(HARMS))(
    '%s',
    async (harm, said) => {
      bystander = new Bystander(daemon);
      expect(await reported(daemon, harm)).toMatch(said);
      await startedAnew();
      expect(await bystander.end()).toEqual([]);
    },
    240_000,
  );

  test('one that stops itself is replaced and ended when the one who waits for it leaves', async () => {
    bystander = new Bystander(daemon);
    const before = await daemon.metric('plugin_starts_total', { way });
    const client = new AbortController();
    // It gets no answer, not even the head of one.
    const asked = daemon.request('POST', REPORT, { ...reportRequest('stop'), signal: client.signal });
    asked.catch(() => undefined);
    await eventually('it has stopped', () => of('text_report').some((pid) => stateOf(pid) === 'T') || undefined);
    client.abort();
    await eventually(
      'another one runs',
      async () => (await daemon.metric('plugin_starts_total', { way })) > before || undefined,
    );
    expect(await reported(daemon, 'pid')).toMatch(/^\d+$/);
    await eventually('it has ended', () => !of('text_report').some((pid) => stateOf(pid) === 'T') || undefined);
    expect(await bystander.end()).toEqual([]);
  }, 240_000);

  test('nothing is left of it when it is uninstalled', async () => {
    const client = daemon.client();
    for (const { id, plugin_id } of await client.list())
      if (plugin_id === 'examples/text_report') await client.uninstall(id);
    await eventually('all its processes have ended', () => of('text_report').length === 0 || undefined);
    expect(of('bystander').length).toBeGreaterThan(0);
  });
});
