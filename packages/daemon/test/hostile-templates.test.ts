/**
 * A plugin whose process has become a template, and does not do what templates do: it is answered by another process, what it had is cleared away,
 * and neither its shepherd nor any other plugin is harmed.
 */
import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, processesBelow, TestDaemon } from './harness.ts';
import { Bystander, reported, reportToolPackage, toolSource } from './report-tool.ts';

const LINUX = process.platform === 'linux';
/** What it does when it is to fork an instance, and whether there is one after all; see hostile_template.py. */
const MODES = {
  'does not fork': 'refused',
  refuses: 'refused',
  dies: 'refused',
  'forks and dies': 'refused',
  'stops itself': 'refused',
  'forks a thousand': 'refused',
  'talks nonsense': 'believed',
  'talks without an end': 'believed',
  'poses as its instance': 'refused',
  'introduces nobody': 'refused',
  'tells ends that were not': 'believed',
  'keeps descriptors': 'believed',
  'forgets its children': 'believed',
} as const;
const SOURCE = ['costly_import.py', 'hostile_template.py', 'self_report.py'].map(toolSource).join('\n');
let daemon: TestDaemon;

beforeAll(async () => {
  if (!LINUX) return;
  daemon = await TestDaemon.start({
    settings: { LOG_LEVEL: 'debug', PLUGIN_INSTANCES_MAX: '2', PLUGIN_MAX_PROCESSES: '100' },
  });
  await Bystander.install(daemon);
  await daemon.logged('a parent is ready');
}, 300_000);

afterAll(async () => {
  await daemon?.close();
});

/** One of the plugins, which are the same but for their name: what one has done is kept in mind. */
class Hostile implements AsyncDisposable {
  readonly #name: string;

  static async install(name: string): Promise<Hostile> {
    await daemon.install(reportToolPackage(SOURCE, name));
    return new Hostile(name);
  }

  private constructor(name: string) {
    this.#name = name;
  }

  /** A path in its working directory. */
  path(name: string): string {
    const { dataDirectory } = daemon.process;
    const [main] = globSync(`cwd/examples/${this.#name}-*@*/main.py`, { cwd: dataDirectory });
    if (main === undefined) throw new Error('no working directory');
    return join(dataDirectory, main, '..', name);
  }

  /** Its process ends, and another one answers. */
  async another(): Promise<void> {
    const before = await daemon.metric('plugin_starts_total');
    await reported(daemon, 'die', this.#name);
    await eventually('another one answers', async () => {
      const answers = /^\d+$/.test(await reported(daemon, 'pid', this.#name));
      return (answers && (await daemon.metric('plugin_starts_total')) > before) || undefined;
    });
  }

  async startedBy(): Promise<string> {
    const { starts = {} } = JSON.parse((await daemon.answer('GET', '/readyz')).text);
    const own = Object.entries(starts).find(([identifier]) => identifier.startsWith(`examples/${this.#name}:`));
    return String(own?.[1]);
  }

  /** Nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const client = daemon.client();
    for (const { id, plugin_id } of await client.list())
      if (plugin_id === `examples/${this.#name}`) await client.uninstall(id);
    const { dataDirectory } = daemon.process;
    await eventually(
      'all its processes have ended',
      () => processesBelow(dataDirectory, `/examples/${this.#name}-`).length === 0 || undefined,
    );
  }
}

test.skipIf(!LINUX).each(Object.entries(MODES).map(([mode, how], index) => [mode, how, index] as const))(
  'one that %s is %s',
  async (mode, how, index) => {
    const bystander = new Bystander(daemon);
    {
      await using hostile = await Hostile.install(`hostile_${index}`);
      await eventually('it is a template', async () => (await daemon.metric('plugin_templates')) === 1 || undefined);
      const trace = hostile.path('did it');
      writeFileSync(hostile.path('mode.txt'), mode);
      const answered = hostile.another();
      await eventually('it was asked to fork', () => existsSync(trace) || undefined);
      // Not in what it is replaced by.
      rmSync(hostile.path('mode.txt'));
      await answered;
      expect(await hostile.startedBy()).toMatch(how === 'refused' ? /^(plain|forked)/ : /^templated/);
      await hostile.another();
    }
    expect(await bystander.end()).toEqual([]);
  },
  240_000,
);

test.skipIf(!LINUX)(
  'one that does not even go on itself is started plainly from then on',
  async () => {
    await using hostile = await Hostile.install('hostile_always');
    await eventually('it is a template', async () => (await daemon.metric('plugin_templates')) === 1 || undefined);
    writeFileSync(hostile.path('mode.txt'), 'dies');
    await eventually('no parent starts it any more', async () => {
      await hostile.another();
      return /^plain: it did not start from a parent/.test(await hostile.startedBy()) || undefined;
    });
    await hostile.another();
    expect(await hostile.startedBy()).toMatch(/^plain: it did not start from a parent/);
  },
  240_000,
);
