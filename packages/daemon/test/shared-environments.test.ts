/** Plugins on the real SDK that share an environment, and its bad days, in a whole daemon. */
import { globSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { reported, reportToolPackage, toolSource } from './report-tool.ts';
import { situations } from './situations.ts';

const ADMIN = 'the-admin-key-of-the-test';
const impossible = situations.find(({ mode }) => mode === 'uid+namespace')?.impossible;

describe.skipIf(impossible !== undefined)(`as root${impossible === undefined ? '' : `: ${impossible}`}`, () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await TestDaemon.start({
      settings: { ADMIN_API_ENABLED: 'true', ADMIN_API_KEY: ADMIN, PLUGIN_PREFORK: 'false', LOG_LEVEL: 'debug' },
    });
    await daemon.install(reportToolPackage(toolSource('self_report.py')));
  }, 300_000);

  afterAll(() => daemon?.close());

  const shared = (): string => {
    const [library] = globSync('cwd/examples/*/.venv/lib', { cwd: daemon.process.dataDirectory });
    if (library === undefined) throw new Error('no environment');
    return join(realpathSync(join(daemon.process.dataDirectory, library)), '..');
  };

  const admin = async (method: string, path: string, body?: object): Promise<unknown> => {
    const { text } = await daemon.answer(method, `/admin/environments${path}`, {
      headers: { 'X-Admin-Api-Key': ADMIN, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return JSON.parse(text).data;
  };

  /** Ends the process; the next call starts another. */
  async function startAgain(): Promise<string> {
    await reported(daemon, 'die').catch(() => undefined);
    return await eventually(
      'it answers again',
      async () => {
        const answer = await reported(daemon, 'random').catch(() => undefined);
        return answer?.startsWith('0.') ? answer : undefined;
      },
      60_000,
    );
  }

  const prepared = (outcome: string) => daemon.metric('plugin_environments_total', { outcome });

  test('an environment that is deleted under a plugin is made anew', async () => {
    expect(await prepared('new')).toBe(1);
    const before = shared();
    rmSync(before, { recursive: true });
    await startAgain();
    expect(shared()).toBe(before);
    expect(await prepared('new')).toBe(2);
  }, 180_000);

  test('a plugin that nobody calls is started anew when its environment is gone', async () => {
    const before = shared();
    const starts = await daemon.metric('plugin_starts_total');
    const made = await prepared('new');
    rmSync(before, { recursive: true });
    await daemon.logged('its Python environment is gone');
    await eventually(
      'another one runs',
      async () => (await daemon.metric('plugin_starts_total')) > starts || undefined,
    );
    expect(shared()).toBe(before);
    expect(await prepared('new')).toBe(made + 1);
    expect(await reported(daemon, 'facts')).toContain('argv');
  }, 180_000);

  test('one that is damaged where no look finds it is repaired by the start that failed', async () => {
    const [module = ''] = globSync('lib/python*/site-packages/dify_plugin/__init__.py', { cwd: shared() });
    rmSync(join(shared(), module));
    writeFileSync(join(shared(), module), 'raise SystemError("damaged")\n');
    await startAgain();
    expect(daemon.log).toContain('an environment that plugins share is damaged');
    expect(await prepared('repaired')).toBe(1);
    expect(
      readdirSync(join(daemon.process.dataDirectory, 'cwd/.environments')).filter((name) => name.startsWith('.new-')),
    ).toEqual([]);
  }, 180_000);

  test('operators see it, and nothing that is used can be collected', async () => {
    expect(await admin('GET', '')).toMatchObject([
      { name: shared().slice(-32), plugins: 1, sdk: expect.stringMatching(/^\d/) },
    ]);
    expect(await admin('POST', '/collect', { remove: true, unused_hours: 0 })).toMatchObject({
      directories: [],
      environments: [],
    });
    expect(await reported(daemon, 'random')).toMatch(/^0\./);
  });
});
