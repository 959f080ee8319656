/** A plugin that is forked, from a parent or from a template, is held in as one that is not, in every way of holding plugins in that this system allows. */
import { expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { reported, reportToolPackage, toolSource } from './report-tool.ts';
import { situations } from './situations.ts';

const plugin = reportToolPackage(toolSource('self_report.py'));

for (const { name, mode, isolated, impossible, settings, through, owner } of situations) {
  if (impossible !== undefined) {
    test.skip(`${name}: ${impossible}`, () => undefined);
    continue;
  }
  test(`${name} (${mode})`, async () => {
    await using daemon = await TestDaemon.start({
      // Whatever can be forked becomes a template.
      settings: { ...settings, PLUGIN_INSTANCES_MAX: '2', PLUGIN_TEMPLATE_AFTER_MS: '1' },
      ...(through && { through }),
      ...(owner !== undefined && { owner }),
      passable: true,
    });
    await daemon.install(plugin);
    const said = await reported(daemon, 'facts');
    expect(said).toMatch(/^\{/);
    const plain = JSON.parse(said);
    await daemon.logged('a parent is ready');
    await reported(daemon, 'die');
    await eventually('it is forked', async () => {
      await reported(daemon, 'pid');
      return (await daemon.metric('plugin_starts_total', { way: 'forked' })) > 0 || undefined;
    });
    expect(JSON.parse(await reported(daemon, 'facts'))).toEqual(plain);
    await daemon.logged('has become a template');
    await reported(daemon, 'die');
    await eventually('it comes from the template', async () => {
      await reported(daemon, 'pid');
      return (await daemon.metric('plugin_starts_total', { way: 'templated' })) > 0 || undefined;
    });
    expect(JSON.parse(await reported(daemon, 'facts'))).toEqual(plain);
    const { isolation, starts } = JSON.parse((await daemon.answer('GET', '/readyz')).text);
    expect(Object.values(isolation)).toEqual([mode]);
    expect(Object.values(starts)).toEqual(['templated']);
    expect(await reported(daemon, 'writable')).toEqual(isolated ? '[]' : expect.stringContaining('.parents'));
  }, 240_000);
}
