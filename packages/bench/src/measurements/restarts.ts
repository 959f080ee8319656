/**
 * A restart with many plugins, and a call that does not wait for them: what it costs to ask at once for any of them. Daemons of their own,
 * since what others installed would be restarted along.
 *
 * The many are copies of an example on the real SDK under other names, which share an environment. A folder with folders of packages, official ones for
 * instance, may be named (`--plugins`) whose plugins are installed in their place.
 */
import { messageOf } from '@plugin-daemon/values';
import { DaemonAnswerError, DaemonClient, DaemonProcess, type Uploaded } from '../daemon/index.ts';
import { sideBySide } from '../load/index.ts';
import { pluginFolders } from '../plugin/folders.ts';
import { benchPackage, EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

const LIGHT = 52;
const MANY = 255;
const INSTALLED_AT_ONCE = 4;
const LIMIT_MS = 180_000;
/** Plugins that are called at the same time, of those that wait for their turn. */
const TOGETHER = 4;
/** Has no divisor in common with either number: those who are called lie far apart in the order of their last use. */
const STRIDE = 97;

interface Callable {
  readonly plugin: string;
  readonly route: string;
  readonly data: object;
}

export const restarts: Measurement = {
  name: 'restart',
  title: `Restart with ${LIGHT} light plugins, and with ${MANY} on the SDK`,
  async run(bench) {
    return [...(await withLight(bench)), ...(await withMany(bench))];
  },
};

async function withLight(bench: Bench): Promise<Figure[]> {
  await using daemon = await DaemonProcess.start({ innerApi: { url: 'http://127.0.0.1:9', key: 'unused' } });
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const packages = Array.from(
    { length: LIGHT },
    (_, n) => () => benchPackage({ category: 'tool', name: `light-${n}` }),
  );
  await installAll(client, packages);
  const calls = Array.from(
    { length: LIGHT },
    (_, n): Callable => ({
      plugin: `bench/light-${n}`,
      route: 'tool/invoke',
      data: { provider: `light-${n}`, tool: 'echo', tool_parameters: {}, credentials: {} },
    }),
  );
  const runs = await bench.repeat(async (index) => await restarted(daemon, client, spreadOut(calls, index, 1)));
  return [
    bench.figure(
      'restart.light.first',
      runs.map(({ healthy, answers }) => healthy + Math.min(...answers)),
      'from the start of the process',
    ),
  ];
}

async function withMany(bench: Bench): Promise<Figure[]> {
  await using daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
  });
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const folders = bench.plugins;
  const calls = folders === undefined ? await installCopies(client) : await installFolders(bench, client, folders);
  const runs = await bench.repeat(async (index) => await restarted(daemon, client, spreadOut(calls, index, TOGETHER)));
  const what = folders === undefined ? 'copies of an example' : `from ${folders}`;
  return [
    bench.figure(
      'restart.many.any',
      runs.flatMap(({ answers }) => answers),
      `${calls.length} plugins, ${what}; ${TOGETHER} called at once after the start`,
    ),
  ];
}

/** Some of them, others at each run, and none twice where there are enough. */
const spreadOut = (calls: readonly Callable[], run: number, count: number): readonly Callable[] =>
  Array.from({ length: count }, (_, n) => calls[((run * count + n) * STRIDE) % calls.length]).filter(
    (call) => call !== undefined,
  );

interface Restarted {
  /** Milliseconds from the start of the process to its first healthy answer. */
  readonly healthy: number;
  /** Milliseconds from there to the first word of each plugin that was called. */
  readonly answers: readonly number[];
}

async function restarted(daemon: DaemonProcess, client: DaemonClient, calls: readonly Callable[]): Promise<Restarted> {
  await daemon.stop();
  const healthy = await daemon.start();
  const answers = await Promise.all(calls.map((call) => firstWord(client, call)));
  return { healthy, answers };
}

/** Milliseconds to the first word of a plugin; that it fails for want of credentials is its answer too. */
async function firstWord(client: DaemonClient, { plugin, route, data }: Callable): Promise<number> {
  const started = performance.now();
  try {
    for await (const _ of client.invoke(route, plugin, data, AbortSignal.timeout(LIMIT_MS)))
      return performance.now() - started;
  } catch (error) {
    if (!(error instanceof DaemonAnswerError) || error.plugin === undefined) throw error;
    return performance.now() - started;
  }
  throw new Error(`${plugin} said nothing`);
}

async function installCopies(client: DaemonClient): Promise<readonly Callable[]> {
  const names = Array.from({ length: MANY }, (_, n) => `copy_${n}`);
  await installAll(
    client,
    names.map((name) => () => folderPackage(`${EXAMPLES}tool-text-report`, { name })),
  );
  return names.map((name) => ({
    plugin: `examples/${name}`,
    route: 'tool/invoke',
    data: { provider: 'text_report', tool: 'report', tool_parameters: { text: 'some words' }, credentials: {} },
  }));
}

/** Installs what can be installed here, and calls those that can be asked whether credentials are valid. */
async function installFolders(bench: Bench, client: DaemonClient, top: string): Promise<readonly Callable[]> {
  const folders = pluginFolders(top).slice(0, MANY);
  const { installed, failed } = await installAll(
    client,
    folders.map((folder) => () => folderPackage(folder)),
  );
  if (failed.length > 0) bench.say(`  ${failed.length} of ${folders.length} could not be installed: ${failed[0]}`);
  return installed.flatMap(({ unique_identifier, manifest: { tool, model } }) => {
    const plugin = unique_identifier.slice(0, unique_identifier.indexOf(':'));
    if (tool !== undefined && tool !== null)
      return [{ plugin, route: 'tool/validate_credentials', data: { provider: tool.identity.name, credentials: {} } }];
    if (model !== undefined && model !== null)
      return [
        { plugin, route: 'model/validate_provider_credentials', data: { provider: model.provider, credentials: {} } },
      ];
    return [];
  });
}

async function installAll(
  client: DaemonClient,
  packages: readonly (() => Buffer)[],
): Promise<{ installed: readonly Uploaded[]; failed: readonly string[] }> {
  const installed: Uploaded[] = [];
  const failed: string[] = [];
  await sideBySide(packages, INSTALLED_AT_ONCE, async (pack) => {
    try {
      const uploaded = await client.upload(pack());
      await client.install(uploaded.unique_identifier);
      installed.push(uploaded);
    } catch (error) {
      failed.push(messageOf(error).split('\n')[0] ?? '');
    }
  });
  return { installed, failed };
}
