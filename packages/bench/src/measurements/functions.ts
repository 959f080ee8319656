/** Plugins that run as functions: what the way through the daemon adds to the bare round trip, and a thousand streams at once. */
import { DaemonClient, DaemonProcess } from '../daemon/index.ts';
import { spawnFakeFunctions } from '../fakes/index.ts';
import { faultlessLoop, quantile, readStream, requestBytes } from '../load/index.ts';
import { benchPackage } from '../plugin/package.ts';
import { Bench, type Measurement } from './measurement.ts';

const MAX_REQUESTS = 500_000;
const STREAMS = 1000;
const CHUNKS = 20;

/** Always of this repository's daemon: the one under measurement runs plugins as processes. */
export const functions: Measurement = {
  name: 'functions',
  title: 'Plugins as functions',
  async run(outer) {
    await using fake = await spawnFakeFunctions();
    await using daemon = await DaemonProcess.start({
      innerApi: { url: 'http://127.0.0.1:9', key: 'inner' },
      settings: {
        PLATFORM: 'serverless',
        DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: fake.url,
        DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: 'key',
      },
    });
    await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
    const target = {
      url: daemon.url,
      key: daemon.key,
      pid: () => daemon.pid,
      start: () => daemon.start(),
      stop: () => daemon.stop(),
    };
    const bench = new Bench(target, client, outer);
    const { unique_identifier } = await client.upload(benchPackage({ category: 'tool', name: 'speed-tool' }));
    await client.install(unique_identifier);
    const data = { type: 'tool', action: 'invoke_tool', tool: 'echo', tool_parameters: { text: 'hello' } };
    const bare = requestBytes(fake.url, {
      path: '/fn/invoke?action=invoke_tool',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ session_id: '8417b807-017e-4973-9699-c82654a3bb01', event: 'request', data }),
    });
    const median = async (url: string, request: Buffer): Promise<number> => {
      const loop = await faultlessLoop({
        url,
        request,
        connections: 1,
        maxMs: (bench.seconds * 1000) / 2,
        maxRequests: MAX_REQUESTS,
        expect: 'hello',
      });
      return quantile(loop.latencies, 0.5);
    };
    const call = bench.toolRequest('echo', { text: 'hello' });
    await median(daemon.url, call);
    // One after the other, so that what else the machine does meets both.
    const pairs = await bench.repeat(async () => ({
      bare: await median(fake.url, bare),
      through: await median(daemon.url, call),
    }));
    const stream = bench.toolRequest('stream', { count: CHUNKS, size: 50 });
    const streams = await bench.repeat(async () => {
      const startedAt = performance.now();
      const all = await Promise.all(Array.from({ length: STREAMS }, () => readStream(daemon.url, stream)));
      const broken = all.find(({ events }) => events !== CHUNKS);
      if (broken !== undefined) throw new Error(`a stream broke off: ${broken.tail}`);
      return performance.now() - startedAt;
    });
    return [
      bench.figure(
        'functions.bare.p50',
        pairs.map((pair) => pair.bare),
      ),
      bench.figure(
        'functions.p50',
        pairs.map((pair) => pair.through),
      ),
      bench.figure(
        'functions.overhead.p50',
        pairs.map((pair) => pair.through - pair.bare),
      ),
      bench.figure('functions.streams', streams, `${STREAMS} streams of ${CHUNKS} chunks, none lost`),
    ];
  },
};
