/**
 * Many plugins on the SDK, forked from a parent and started plainly, in turn on one data directory: memory, first heartbeat, and how
 * soon a cancelled call lets go of what it has opened. Daemons of its own, since it turns a setting.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonClient, DaemonProcess, until } from '../daemon/index.ts';
import { descendants, proportionalMb } from '../load/index.ts';
import { EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Figure, Measurement } from './measurement.ts';

const PLUGINS = 30;
const STARTS = 10;
const CANCELS = 30;
const SETTLE_MS = 5000;
const LIMIT_MS = 300_000;
const LOG_LINES = 20_000;
const SETTINGS = { PLUGIN_INSTANCES_MIN: '1', PLUGIN_INSTANCES_MAX: '1', LOG_OUTPUT_FORMAT: 'json' };
const MODEL_PLUGIN = 'examples/openai_endpoint';

export const prefork: Measurement = {
  name: 'prefork',
  title: `${PLUGINS} light plugins on the SDK, forked and plain in turn`,
  async run(bench) {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'bench-prefork-'));
    const start = (forks: boolean) =>
      DaemonProcess.start({
        innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
        settings: { ...SETTINGS, PLUGIN_PREFORK: String(forks) },
        dataDirectory,
      });
    try {
      const identifiers = await installAll(await start(true));
      const taken = { forked: { memory: [], heartbeat: [] }, plain: { memory: [], heartbeat: [] } } as {
        [way: string]: { memory: number[]; heartbeat: number[] };
      };
      const cancels: number[] = [];
      for (let round = 0; round < bench.runs; round++) {
        for (const way of ['forked', 'plain']) {
          await using daemon = await start(way === 'forked');
          await untilStarted(daemon, identifiers.length + 1, way);
          await pause(SETTLE_MS);
          const all = descendants(daemon.pid).reduce((sum, pid) => sum + proportionalMb(pid), 0);
          taken[way]?.memory.push(all / (identifiers.length + 1));
          for (const identifier of identifiers.slice(0, STARTS))
            taken[way]?.heartbeat.push(await startAnew(daemon, identifier));
          if (way === 'forked') cancels.push(...(await cancelled(daemon)));
        }
      }
      const figures: Figure[] = [];
      for (const [way, { memory, heartbeat }] of Object.entries(taken))
        figures.push(
          bench.figure(`prefork.memory.${way}`, memory, 'PSS of all processes below the daemon'),
          bench.figure(`prefork.heartbeat.${way}`, heartbeat, 'from the decision to start it'),
        );
      figures.push(bench.figure('cancel.closed', cancels));
      return figures;
    } finally {
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  },
};

/** Installs the plugins and one of a model, and waits until their parent can be started. */
async function installAll(daemon: DaemonProcess): Promise<readonly string[]> {
  await using _ = daemon;
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const folder = mkdtempSync(join(tmpdir(), 'bench-plugin-'));
  try {
    cpSync(join(EXAMPLES, 'tool-text-report'), folder, { recursive: true });
    const manifest = readFileSync(join(folder, 'manifest.yaml'), 'utf8');
    const identifiers: string[] = [];
    for (let index = 0; index < PLUGINS - 1; index++) {
      writeFileSync(join(folder, 'manifest.yaml'), manifest.replace('name: text_report', `name: text_report_${index}`));
      const { unique_identifier } = await client.upload(folderPackage(folder));
      await client.install(unique_identifier);
      identifiers.push(unique_identifier);
    }
    const model = await client.upload(folderPackage(join(EXAMPLES, 'llm-openai-compatible')));
    await client.install(model.unique_identifier);
    await happens('a parent is ready', () => daemon.logTail(LOG_LINES).includes('a parent is ready'));
    return identifiers;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untilStarted(daemon: DaemonProcess, count: number, way: string): Promise<void> {
  let starts: Readonly<Record<string, string>> = {};
  await happens('all are started', async () => {
    const answer = await fetch(`${daemon.url}/readyz`, { headers: { 'X-Api-Key': daemon.key } });
    ({ starts = {} } = (await answer.json()) as { starts?: Record<string, string> }); // its description says so
    return Object.keys(starts).length >= count;
  });
  const others = Object.values(starts).filter((how) => !how.startsWith(way));
  if (others.length > 0) throw new Error(`${others.length} plugins were not started ${way}: ${others[0]}`);
}

interface Ready {
  readonly plugin: string;
  readonly pid: number;
  readonly start_ms: number;
}

/** What the log says of the last starts, one for each plugin. */
function lastStarts(daemon: DaemonProcess): { readonly count: number; readonly last: ReadonlyMap<string, Ready> } {
  const last = new Map<string, Ready>();
  let count = 0;
  for (const line of daemon.logTail(LOG_LINES).split('\n')) {
    if (!line.includes('"message":"plugin is ready"')) continue;
    const { attributes }: { attributes: Ready } = JSON.parse(line);
    last.set(attributes.plugin, attributes);
    count++;
  }
  return { count, last };
}

/** Milliseconds of a start while nothing else is started. */
async function startAnew(daemon: DaemonProcess, identifier: string): Promise<number> {
  const before = lastStarts(daemon);
  const pid = before.last.get(identifier)?.pid;
  // 0 would be this program and whoever it was started with.
  if (pid === undefined) throw new Error(`no start of ${identifier} was logged`);
  process.kill(pid, 'SIGKILL');
  await happens('it is started', () => lastStarts(daemon).count > before.count);
  return lastStarts(daemon).last.get(identifier)?.start_ms ?? Number.NaN;
}

/** Milliseconds from leaving a streamed model call to the end of the connection that the plugin had opened for it. */
async function cancelled(daemon: DaemonProcess): Promise<number[]> {
  let closed = Promise.withResolvers<number>();
  const model = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = { id: '1', created: 1, model: 'm', object: 'chat.completion.chunk' };
    const word = {
      ...chunk,
      choices: [{ index: 0, delta: { role: 'assistant', content: 'word ' }, finish_reason: null }],
    };
    const timer = setInterval(() => response.write(`data: ${JSON.stringify(word)}\n\n`), 10);
    request.socket.once('close', () => {
      clearInterval(timer);
      closed.resolve(performance.now());
    });
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  const address = model.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const call = {
    provider: 'openai_endpoint',
    model: 'm',
    model_type: 'llm',
    credentials: { base_url: `http://127.0.0.1:${port}/v1` },
    model_parameters: {},
    prompt_messages: [{ role: 'user', content: 'hi' }],
    tools: [],
    stop: [],
    stream: true,
  };
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const times: number[] = [];
  try {
    for (let index = 0; index < CANCELS; index++) {
      closed = Promise.withResolvers();
      const leaving = new AbortController();
      let leftAt = 0;
      try {
        for await (const _ of client.invoke('llm/invoke', MODEL_PLUGIN, call, leaving.signal)) {
          leftAt = performance.now();
          leaving.abort();
        }
      } catch (error) {
        if (!leaving.signal.aborted) throw error;
      }
      times.push((await closed.promise) - leftAt);
    }
    return times;
  } finally {
    model.closeAllConnections();
    model.close();
  }
}

const happens = (what: string, look: () => boolean | Promise<boolean>): Promise<void> =>
  until(what, look, { limitMs: LIMIT_MS, everyMs: 20 });
