/**
 * What sleeping plugins cost those who call them: from sleep to the first chunk, after a restart with many plugins, and after a kill of an
 * idle plugin. A daemon of its own, since plugins are to sleep soon.
 */
import { readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonClient, DaemonProcess, until } from '../daemon/index.ts';
import { descendants } from '../load/index.ts';
import { benchPackage, EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Measurement } from './measurement.ts';

const WAKES = 8;
const KILLS = 5;
const CALLS_AFTER_KILL = 5;
const RESTARTED = 20;
const SDK = {
  plugin: 'examples/text_report',
  provider: 'text_report',
  tool: 'report',
  parameters: { text: 'some words' },
};
const LIMIT_MS = 60_000;
const PARENT_MS = 15_000;

interface Call {
  readonly plugin: string;
  readonly provider: string;
  readonly tool: string;
  readonly parameters: object;
}

export const waking: Measurement = {
  name: 'waking',
  title: `Sleep, restart with ${RESTARTED} plugins, and kills, with the real SDK`,
  async run(bench) {
    await using daemon = await DaemonProcess.start({
      innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
      settings: { PLUGIN_IDLE_STOP_SECONDS: '1', LOG_OUTPUT_FORMAT: 'json' },
    });
    await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
    await client.install((await client.upload(folderPackage(`${EXAMPLES}tool-text-report`))).unique_identifier);
    await asleep(daemon);
    // A parent is made after the first start, and started with the first that it could have served.
    const first = await firstChunk(client, SDK);
    await pause(PARENT_MS);
    const wakes: number[] = [];
    for (let n = 0; n < WAKES; n++) {
      await asleep(daemon);
      wakes.push(await firstChunk(client, SDK));
    }
    const kills: number[] = [];
    let failed = 0;
    for (let n = 0; n < KILLS; n++) {
      await firstChunk(client, SDK);
      for (const pid of plugins(daemon)) process.kill(pid, 'SIGKILL');
      const calls = Array.from({ length: CALLS_AFTER_KILL }, () => firstChunk(client, SDK));
      for (const call of await Promise.allSettled(calls))
        if (call.status === 'fulfilled') kills.push(call.value);
        else failed++;
    }
    const names = Array.from({ length: RESTARTED }, (_, n) => `restarted-${n}`);
    for (const name of names)
      await client.install((await client.upload(benchPackage({ category: 'tool', name }))).unique_identifier);
    const restarts: number[] = [];
    for (const name of names.slice(0, bench.runs)) {
      await daemon.stop();
      await daemon.start();
      restarts.push(
        await firstChunk(client, { plugin: `bench/${name}`, provider: name, tool: 'echo', parameters: {} }),
      );
    }
    return [
      bench.figure('waking.firstChunk', wakes, `before there is a parent: ${Math.round(first)} ms`),
      bench.figure('waking.afterKill', kills, `${failed} of ${KILLS * CALLS_AFTER_KILL} calls failed`),
      bench.figure('waking.restart', restarts, 'the plugin that was called longest ago'),
    ];
  },
};

async function firstChunk(client: DaemonClient, { plugin, provider, tool, parameters }: Call): Promise<number> {
  const data = { provider, tool, tool_parameters: parameters, credentials: {} };
  const started = performance.now();
  let first: number | undefined;
  for await (const _ of client.invoke('tool/invoke', plugin, data, AbortSignal.timeout(LIMIT_MS)))
    first ??= performance.now() - started;
  if (first === undefined) throw new Error(`${plugin} said nothing`);
  return first;
}

/** Processes of plugins: those that work below the data directory. */
const plugins = (daemon: DaemonProcess): readonly number[] =>
  descendants(daemon.pid).filter((pid) => workingDirectory(pid)?.startsWith(`${daemon.dataDirectory}/cwd/`));

function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // it has ended
  }
}

const asleep = (daemon: DaemonProcess): Promise<void> =>
  until('the plugin sleeps', () => plugins(daemon).length === 0, { limitMs: LIMIT_MS });
