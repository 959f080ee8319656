/** Installing: a plugin without dependencies and one on the SDK, from the request to the end of the first call. */

import { delay } from '../daemon/index.ts';
import { benchPackage, EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

export const installs: Measurement = {
  name: 'install',
  title: 'Installing, first answer included',
  async run(bench) {
    const text = { text: 'Hello there.' };
    const figures: Figure[] = [];
    const version = (index: number) => `${10 + index}.${Math.floor(performance.now()) % 9999}.0`;
    const installPlain = async (index: number) => {
      const packed = benchPackage({ category: 'tool', name: 'install-plain', version: version(index) });
      const call = { provider: 'install-plain', tool: 'echo', tool_parameters: text };
      return await installOnce(bench, packed, 'bench/install-plain', call);
    };
    await installPlain(99); // a fresh daemon may have to fetch uv first
    const plain = await bench.repeat(installPlain);
    figures.push(bench.figure('install.plain', plain));
    const sdkPackage = (index: number) => folderPackage(`${EXAMPLES}tool-text-report`, { version: version(index) });
    const call = { provider: 'text_report', tool: 'report', tool_parameters: text };
    await installOnce(bench, sdkPackage(99), 'examples/text_report', call); // warms the cache of wheels
    const { forgetEnvironments } = bench.target;
    const sdk = await bench.repeat(async (index) => {
      forgetEnvironments?.();
      return await installOnce(bench, sdkPackage(index), 'examples/text_report', call);
    });
    figures.push(bench.figure('install.sdk', sdk));
    if (forgetEnvironments === undefined) return figures;
    const known = await bench.repeat(
      async (index) => await installOnce(bench, sdkPackage(100 + index), 'examples/text_report', call),
    );
    figures.push(bench.figure('install.sdk.known', known));
    return figures;
  },
};

/** Milliseconds from the install request to the end of the first call. The plugin is removed afterwards. */
async function installOnce(bench: Bench, packed: Buffer, pluginId: string, call: object): Promise<number> {
  const uploaded = await bench.client.upload(packed);
  const startedAt = performance.now();
  await bench.client.install(uploaded.unique_identifier);
  for await (const _ of bench.client.invoke('tool/invoke', pluginId, { ...call, credentials: {} })) {
    // the answer itself is of no interest
  }
  const ms = performance.now() - startedAt;
  const installed = (await bench.client.list()).find((plugin) => plugin.plugin_id === pluginId);
  if (installed) await bench.client.uninstall(installed.id);
  await delay(500);
  return ms;
}
