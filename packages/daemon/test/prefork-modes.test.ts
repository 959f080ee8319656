/** A plugin that is forked is held in as one that is not, in every way of holding plugins in that this system allows. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderPackage } from '@plugin-daemon/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventStream, eventually, ONE, TestDaemon, temporaryDirectory } from './harness.ts';
import { situations } from './situations.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/tool-text-report/', import.meta.url));
const TOOL = fileURLToPath(new URL('./plugins/self_report.py', import.meta.url));
const folder = temporaryDirectory();

beforeAll(() => {
  cpSync(EXAMPLE, folder.path, { recursive: true });
  cpSync(TOOL, join(folder.path, 'tools/report.py'));
});

afterAll(() => folder[Symbol.dispose]());

async function ask(daemon: TestDaemon, text: string): Promise<string> {
  const response = await daemon.request('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
    headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'examples/text_report' },
    body: JSON.stringify({
      user_id: 'u',
      data: { provider: 'text_report', tool: 'report', tool_parameters: { text }, credentials: {} },
    }),
  });
  const stream = new EventStream(response, false);
  await stream.done;
  return stream.texts[0] ?? `failed: ${stream.received.slice(0, 1000)}`;
}

for (const { name, mode, isolated, impossible, settings, through, owner } of situations) {
  if (impossible !== undefined) {
    test.skip(`${name}: ${impossible}`, () => undefined);
    continue;
  }
  test(`${name} (${mode})`, async () => {
    await using daemon = await TestDaemon.start({
      settings,
      ...(through && { through }),
      ...(owner !== undefined && { owner }),
      passable: true,
    });
    await daemon.install(folderPackage(folder.path));
    const said = await ask(daemon, 'facts');
    expect(said).toMatch(/^\{/);
    const plain = JSON.parse(said);
    await daemon.logged('made the environment of a parent');
    await ask(daemon, 'die');
    await eventually('it is forked', async () => {
      await ask(daemon, 'pid');
      return (await daemon.metric('plugin_starts_total', { way: 'forked' })) > 0 || undefined;
    });
    expect(JSON.parse(await ask(daemon, 'facts'))).toEqual(plain);
    const { isolation, starts } = JSON.parse((await daemon.answer('GET', '/readyz')).text);
    expect(Object.values(isolation)).toEqual([mode]);
    expect(Object.values(starts)).toEqual(['forked']);
    expect(await ask(daemon, 'writable')).toEqual(isolated ? '[]' : expect.stringContaining('.parents'));
  }, 240_000);
}
