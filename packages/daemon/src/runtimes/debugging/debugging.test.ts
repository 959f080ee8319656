import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import type { SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMemoryCache } from '../../cache/index.ts';
import { type Database, openDatabase, StoredDeclaration } from '../../database/index.ts';
import { silentLog } from '../../telemetry/index.ts';
import { DebuggingKeys, DebuggingRuntimes, DebuggingServer, type DebuggingServerOptions, KeyFile } from './index.ts';
import { line, manifest, registration, TestPlugin, toolProvider, until } from './test-plugin.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';
const PLUGIN = 'acme/search';

let directory: string;
let database: Database;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'debugging-'));
  database = await openDatabase({ type: 'sqlite', file: join(directory, 'db.sqlite') });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

async function serve(over: Partial<DebuggingServerOptions> = {}) {
  const cache = openMemoryCache({
    onListenerError: (error) => {
      throw error;
    },
  });
  const keys = new DebuggingKeys({ cache });
  const runtimes = new DebuggingRuntimes();
  const media = new Map<string, string>();
  const server = new DebuggingServer({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 256,
    maxConnectionsOfTenant: 0,
    maxMessageBytes: 1 << 20,
    serverKeyIsPublished: false,
    keys,
    runtimes,
    database,
    nodeId: 'node',
    storeMedia: async (id, content) => void media.set(id, Buffer.from(content).toString()),
    log: silentLog,
    ...over,
  });
  const { port } = await server.start();
  closers.push(() => cache.close());
  closers.push(() => server.close());
  return { server, port, keys, runtimes, media, key: await keys.obtain(TENANT) };
}

const rowOf = () => database.installations.find(TENANT, PLUGIN);
const installed = (runtimes: DebuggingRuntimes) =>
  until(async () => runtimes.find(TENANT, PLUGIN) !== undefined && (await rowOf()) !== undefined);
const gone = () => until(async () => (await rowOf()) === undefined);

function collector() {
  const heard: string[] = [];
  const failed = Promise.withResolvers<SessionError>();
  const sink: SessionSink = {
    chunk: (json) => {
      heard.push(json);
      return true;
    },
    flush: () => undefined,
    invoke: (data) => void heard.push(`invoke ${JSON.stringify(data)}`),
    end: () => void heard.push('end'),
    fail: (error) => failed.resolve(error),
  };
  return { heard, failed: failed.promise, sink };
}

/** Everything the daemon says to a client that sends these bytes, once it has closed the connection. */
async function answerTo(port: number, ...texts: readonly string[]): Promise<string> {
  const plugin = await TestPlugin.connect(port);
  plugin.send(...texts);
  return plugin.closed;
}

test('a plugin registers, is called and leaves', async () => {
  const { port, key, runtimes, media } = await serve();
  const plugin = await TestPlugin.register(port, key);
  await installed(runtimes);
  const runtime = runtimes.find(TENANT, PLUGIN);
  expect(runtime?.identifier).toMatch(/^acme\/search:0\.0\.1@[0-9a-f]{64}$/);
  expect(runtimes.get(runtime?.identifier ?? '')).toBe(runtime);
  expect(runtimes.find(OTHER, PLUGIN)).toBeUndefined();
  expect([...media.values()]).toEqual(['<svg/>']);
  expect(runtime?.declaration.value).toMatchObject({ icon: [...media.keys()][0], verified: false });
  expect(await rowOf()).toMatchObject({
    plugin_unique_identifier: runtime?.identifier,
    runtime_type: 'remote',
    source: 'remote',
    meta: {},
  });
  const stored = await database.declarations.find(runtime?.identifier ?? '', 'remote');
  expect(stored?.value).toEqual(runtime?.declaration.value);

  const { heard, sink } = collector();
  const session = runtime?.open('8417b807-017e-4973-9699-c82654a3bb09', sink);
  void session?.send('{"session_id":"8417b807-017e-4973-9699-c82654a3bb09","event":"request","data":{}}');
  const { session_id, event } = await plugin.hear();
  expect(event).toBe('request');
  plugin.say({ event: 'session', session_id, data: { type: 'stream', data: { n: 1 } } });
  plugin.say({ event: 'session', session_id, data: { type: 'end', data: {} } });
  await until(() => heard.includes('end'));
  expect(heard).toEqual(['{"n":1}', 'end']);

  plugin.leave();
  await gone();
  expect(runtimes.find(TENANT, PLUGIN)).toBeUndefined();
  expect(runtimes.leftRecently(TENANT, PLUGIN)).toBe(true);
});

test('sessions end at once when the connection drops', async () => {
  const { port, key, runtimes } = await serve();
  const plugin = await TestPlugin.register(port, key);
  await installed(runtimes);
  const runtime = runtimes.find(TENANT, PLUGIN);
  const { failed, sink } = collector();
  runtime?.open('8417b807-017e-4973-9699-c82654a3bb09', sink);
  plugin.leave();
  expect(await failed).toEqual({
    errorType: 'ConnectionClosedError',
    message: 'Connection closed unexpectedly',
    args: {},
  });
  expect(() => runtime?.open('x', sink)).toThrow('closed');
});

test('a plugin that answers for sessions that are not its own reaches nobody', async () => {
  const { port, key, runtimes, keys } = await serve();
  await TestPlugin.register(port, key);
  const stranger = await TestPlugin.register(port, await keys.obtain(OTHER));
  await installed(runtimes);
  await until(() => runtimes.find(OTHER, PLUGIN) !== undefined);
  const { heard, sink } = collector();
  runtimes.find(TENANT, PLUGIN)?.open('8417b807-017e-4973-9699-c82654a3bb09', sink);
  const session_id = '8417b807-017e-4973-9699-c82654a3bb09';
  stranger.say({ event: 'session', session_id, data: { type: 'stream', data: 'forged' } });
  stranger.say({ event: 'session', session_id, data: { type: 'end', data: {} } });
  stranger.say({
    event: 'session',
    session_id,
    data: { type: 'invoke', data: { type: 'tool', backwards_request_id: 'b1', request: {} } },
  });
  // The last line is answered, so the others have been read.
  expect(await stranger.hear()).toMatchObject({ data: { backwards_request_id: 'b1', event: 'error' } });
  expect(heard).toEqual([]);
});

test.each([
  [
    'a wrong key',
    [line('handshake', { key: '00000000-0000-0000-0000-000000000000' })],
    'handshake failed, invalid key\n',
  ],
  ['garbage', ['hello\n'], 'handshake failed, invalid handshake message\n'],
  ['bytes', ['\x00\xff\xfe{\n'], 'handshake failed, invalid handshake message\n'],
  ['a list', ['[]\n'], 'handshake failed, invalid handshake message\n'],
  ['no data', ['{"type":"handshake"}\n'], 'handshake failed, invalid handshake message\n'],
  ['no key', [line('handshake', {})], 'handshake failed, invalid handshake message\n'],
  [
    'a registration without a key',
    [line('manifest_declaration', manifest())],
    'handshake failed, invalid handshake message\n',
  ],
  ['a long first line', ['x'.repeat(5000)], 'handshake failed, invalid handshake message\n'],
  ['a long handshake', [line('handshake', { key: 'x'.repeat(5000) })], 'handshake failed, invalid handshake message\n'],
])('%s is refused', async (_name, texts, answer) => {
  const { port } = await serve();
  expect(await answerTo(port, ...texts)).toBe(answer);
});

test.each([
  ['a second handshake', [['handshake', { key: 'x' }]], 'handshake already completed'],
  ['a line that is no message', [['', {}]], 'handshake failed, invalid handshake message'],
  [
    'a second manifest',
    [
      ['manifest_declaration', manifest()],
      ['manifest_declaration', manifest()],
    ],
    'declaration already registered',
  ],
  [
    'a second list',
    [
      ['tool_declaration', []],
      ['tool_declaration', []],
    ],
    'tools declaration already registered',
  ],
  [
    'another second list',
    [
      ['agent_strategy_declaration', []],
      ['agent_strategy_declaration', []],
    ],
    'agent strategy declaration already registered',
  ],
  [
    'a bad manifest',
    [['manifest_declaration', manifest({ version: 'one' })]],
    "handshake failed, invalid plugin declaration: Key: 'PluginDeclaration.PluginDeclarationWithoutAdvancedFields.Version' Error:Field validation for 'Version' failed on the 'version' tag",
  ],
  [
    'a bad provider',
    [
      ['manifest_declaration', manifest()],
      ['tool_declaration', [toolProvider({ tags: ['zzz'] })]],
    ],
    "tools register failed, invalid tools declaration: Key: 'ToolProviderDeclaration.Identity.Tags[0]' Error:Field validation for 'Tags[0]' failed on the 'plugin_tag' tag",
  ],
  [
    'no provider',
    [
      ['manifest_declaration', manifest()],
      ['end', {}],
    ],
    'no registration transferred, cannot initialize',
  ],
  [
    'no manifest',
    [
      ['tool_declaration', [toolProvider()]],
      ['end', {}],
    ],
    'handshake failed, invalid plugin declaration: no manifest_declaration came before the end',
  ],
  [
    'no icon',
    registration().filter(([type]) => type !== 'asset_chunk'),
    'assets remap failed, invalid assets data, cannot remap: file not found: icon.svg\nfailed to remap tool icon',
  ],
  [
    'an author that is none',
    registration({ manifest: { author: 'Acme' } }),
    'register failed, invalid manifest detected: author must be alphanumeric and less than 64 characters: ^[a-z0-9_-]{1,64}$',
  ],
  [
    'an asset without a name',
    [['asset_chunk', { data: 'AAAA' }]],
    'transfer assets failed, error: filename must be a text that is not empty',
  ],
  [
    'an asset of other letters',
    [['asset_chunk', { filename: 'a', data: 'A*==' }]],
    'assets decode failed, error: the data is not valid base64',
  ],
] as const)('%s is refused with a text to read', async (_name, messages, answer) => {
  const { port, key, runtimes } = await serve();
  const answered = await answerTo(
    port,
    line('handshake', { key }),
    ...messages.map(([type, data]) => line(type, data)),
  );
  expect(answered).toBe(`${answer}\n`);
  expect(runtimes.size).toBe(0);
  expect(await rowOf()).toBeUndefined();
});

test('assets over 50 MB are refused', async () => {
  const { port, key } = await serve();
  const chunk = line('asset_chunk', { filename: 'a', data: Buffer.alloc(9 << 20).toString('base64') });
  expect(await answerTo(port, line('handshake', { key }), ...Array.from({ length: 6 }, () => chunk))).toBe(
    'assets too large, at most 50MB\n',
  );
});

test('heartbeats before the end, unknown types and cut pieces do no harm', async () => {
  const { port, key, runtimes } = await serve();
  const plugin = await TestPlugin.connect(port);
  const text = [
    '{"event":"heartbeat","session_id":null,"data":{}}\n\n',
    line('handshake', { key }),
    '{"event":"heartbeat","session_id":null,"data":{}}\n\n',
    line('something_new', { a: 1 }),
    ...registration().map(([type, data]) => line(type, data)),
    '{"event":"heartbeat","session_id":null,"data":{}}\n\n',
  ].join('');
  for (let at = 0; at < text.length; at += 97) {
    plugin.send(text.slice(at, at + 97));
    if (at % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await installed(runtimes);
});

test('silence ends a connection, before the handshake and after', async () => {
  const { port, key, runtimes } = await serve({ limits: { handshakeMs: 1000, silenceMs: 2000 } });
  expect(await answerTo(port)).toBe('');
  expect(await answerTo(port, '{"type":"handsh')).toBe('');
  const plugin = await TestPlugin.register(port, key);
  await installed(runtimes);
  const beat = setInterval(() => plugin.send('any line\n'), 50);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(runtimes.size).toBe(1);
  clearInterval(beat);
  expect(await plugin.closed).toBe('');
  await gone();
});

test('an endless line costs a bounded amount of memory, wherever it comes', async () => {
  const { port, key, runtimes } = await serve({ limits: { lineBytes: 8 << 20, registrationBytes: 16 << 20 } });
  const mebibyte = Buffer.alloc(1 << 20, 'x');
  const flood = async (plugin: TestPlugin, mebibytes: number): Promise<void> => {
    for (let i = 0; i < mebibytes && !plugin.socket.destroyed; i++) {
      if (!plugin.socket.write(mebibyte)) {
        await Promise.race([new Promise((resolve) => plugin.socket.once('drain', resolve)), plugin.closed]);
      }
    }
  };
  const before = process.memoryUsage().rss;
  const early = await TestPlugin.connect(port);
  await flood(early, 1024);
  await early.closed;
  const registering = await TestPlugin.connect(port);
  registering.send(line('handshake', { key }));
  await flood(registering, 1024);
  expect(await registering.closed).toMatch(/^(registration too large, at most 16777216 bytes|$)/);
  const running = await TestPlugin.register(port, key);
  await installed(runtimes);
  await flood(running, 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
  // The line is over and the plugin is as alive as before.
  running.send('\n');
  const { heard, sink } = collector();
  runtimes.find(TENANT, PLUGIN)?.open('8417b807-017e-4973-9699-c82654a3bb09', sink);
  running.say({
    event: 'session',
    session_id: '8417b807-017e-4973-9699-c82654a3bb09',
    data: { type: 'end', data: {} },
  });
  await until(() => heard.includes('end'));
});

test('ten thousand strangers leave room for a plugin, and for the daemon', async () => {
  const { port, key, runtimes } = await serve({ limits: { unregisteredPerAddress: 50 } });
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 100; i++) {
    const strangers = await Promise.all(Array.from({ length: 100 }, () => TestPlugin.connect(port)));
    let refused = 0;
    for (const stranger of strangers) {
      void stranger.closed.then((answer) => {
        if (answer === 'server is busy now, please try again later\n') refused++;
      });
    }
    // Fifty have a place; the others are told.
    await until(() => refused >= 50);
    for (const stranger of strangers) stranger.leave();
    await Promise.all(strangers.map((stranger) => stranger.closed));
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
  await until(async () => {
    const plugin = await TestPlugin.register(port, key);
    return Promise.race([plugin.closed.then(() => false), installed(runtimes).then(() => true)]);
  });
});

test('an address that fails on and on has to wait', async () => {
  const { port, key } = await serve({ limits: { failuresPerMinute: 3 } });
  for (let i = 0; i < 3; i++) expect(await answerTo(port, 'x\n')).toContain('handshake failed');
  expect(await answerTo(port, line('handshake', { key }))).toBe('server is busy now, please try again later\n');
});

test('both limits on connections hold, and free places count', async () => {
  const { port, keys, key, runtimes } = await serve({ maxConnections: 2, maxConnectionsOfTenant: 1 });
  const first = await TestPlugin.register(port, key);
  await installed(runtimes);
  expect(await (await TestPlugin.register(port, key)).closed).toBe('server is busy now, please try again later\n');
  await TestPlugin.register(port, await keys.obtain(OTHER));
  await until(() => runtimes.size === 2);
  const third = await keys.obtain('00000000-0000-4000-8000-000000000003');
  expect(await (await TestPlugin.register(port, third)).closed).toContain('busy');
  first.leave();
  await gone();
  await TestPlugin.register(port, key);
  await installed(runtimes);
});

test('the newest connection wins; when it leaves the older one is back, and nothing was ever uninstalled', async () => {
  const { port, key, runtimes } = await serve();
  await TestPlugin.register(port, key);
  await installed(runtimes);
  const first = runtimes.find(TENANT, PLUGIN);
  const newer = await TestPlugin.register(port, key, { manifest: { description: { en_US: 'changed' } } });
  await until(
    async () =>
      runtimes.find(TENANT, PLUGIN) !== first && (await rowOf())?.plugin_unique_identifier !== first?.identifier,
  );
  const second = runtimes.find(TENANT, PLUGIN);
  expect(await rowOf()).toMatchObject({ plugin_unique_identifier: second?.identifier, runtime_type: 'remote' });
  expect(await database.plugins.exists(first?.identifier ?? '')).toBe(false);
  newer.leave();
  await until(async () => (await rowOf())?.plugin_unique_identifier === first?.identifier);
  expect(runtimes.find(TENANT, PLUGIN)).toBe(first);
});

test('the same plugin twice: the first to leave takes nothing from the other', async () => {
  const { port, key, runtimes } = await serve();
  const first = await TestPlugin.register(port, key);
  await installed(runtimes);
  await TestPlugin.register(port, key);
  await until(() => runtimes.size === 2);
  first.leave();
  await until(() => runtimes.size === 1);
  const { identifier } = runtimes.find(TENANT, PLUGIN) ?? {};
  expect(runtimes.get(identifier ?? '')).toBeDefined();
  expect((await rowOf())?.plugin_unique_identifier).toBe(identifier);
});

test('an installed plugin of the same id is shadowed, not touched', async () => {
  const uid = `${PLUGIN}:0.0.1@${'a'.repeat(64)}`;
  const declaration = new StoredDeclaration(uid, PLUGIN, JSON.stringify({ ...manifest(), tool: toolProvider() }));
  await database.lifecycle.installForTenant({
    tenantId: TENANT,
    pluginId: PLUGIN,
    uniqueIdentifier: uid,
    installType: 'local',
    source: 'marketplace',
    meta: {},
    declaration,
  });
  const before = await rowOf();
  const { port, key, runtimes } = await serve();
  const plugin = await TestPlugin.register(port, key);
  await until(() => runtimes.find(TENANT, PLUGIN) !== undefined);
  plugin.leave();
  await until(() => runtimes.size === 0);
  await closers.pop()?.();
  expect(await rowOf()).toEqual(before);
});

test('what a crashed daemon left behind is removed at the start, what is installed stays', async () => {
  const add = (tenantId: string, name: string, installType: 'local' | 'remote') => {
    const uid = `acme/${name}:0.0.1@${'b'.repeat(64)}`;
    const json = JSON.stringify({ ...manifest({ name }), tool: toolProvider() });
    return database.lifecycle.installForTenant({
      tenantId,
      pluginId: `acme/${name}`,
      uniqueIdentifier: uid,
      installType,
      source: installType === 'remote' ? 'remote' : 'package',
      meta: {},
      declaration: new StoredDeclaration(uid, `acme/${name}`, json),
    });
  };
  await add(TENANT, 'left', 'remote');
  await add(OTHER, 'left', 'remote');
  await add(TENANT, 'kept', 'local');
  await serve();
  expect((await database.installations.listAllByTenant(TENANT)).map((row) => row.plugin_id)).toEqual(['acme/kept']);
  expect(await database.installations.listAllByTenant(OTHER)).toEqual([]);
});

test('a second node leaves the rows of the first alone, and takes over what connects to it', async () => {
  const one = await serve({ nodeId: 'one' });
  const plugin = await TestPlugin.register(one.port, one.key);
  await installed(one.runtimes);
  const row = await rowOf();
  const two = await serve({ nodeId: 'two' });
  expect(await rowOf()).toEqual(row);

  await TestPlugin.register(two.port, two.key);
  await installed(two.runtimes);
  // Its row is the same; only the lease changes hands.
  await until(async () => {
    await database.debuggingLeases.renew({ owner: 'one', durationMs: -1 });
    return (await database.debuggingLeases.abandoned()).length === 0;
  });
  plugin.leave();
  await one.server.close();
  expect(await rowOf()).toEqual(row);
  await two.server.close();
  expect(await rowOf()).toBeUndefined();
});

test('a plugin that cannot be installed is told so', async () => {
  const lifecycle = {
    ...database.lifecycle,
    installForTenant: () => Promise.reject(new Error('disk full')),
  } as unknown as Database['lifecycle'];
  const { port, key, runtimes } = await serve({ database: { ...database, lifecycle } });
  expect(await (await TestPlugin.register(port, key)).closed).toBe('the plugin could not be installed: disk full\n');
  expect(runtimes.size).toBe(0);
});

test('closing ends connections and sessions and puts the rows right', async () => {
  const { server, port, key, runtimes } = await serve();
  const plugin = await TestPlugin.register(port, key);
  await installed(runtimes);
  const { failed, sink } = collector();
  runtimes.find(TENANT, PLUGIN)?.open('8417b807-017e-4973-9699-c82654a3bb09', sink);
  await server.close();
  expect((await failed).errorType).toBe('ConnectionClosedError');
  expect(await rowOf()).toBeUndefined();
  await plugin.closed;
});

test('off the loopback a published key is refused, a taken port is named', async () => {
  await expect(serve({ host: '0.0.0.0', serverKeyIsPublished: true })).rejects.toThrow('SERVER_KEY is a default key');
  const { port } = await serve();
  await expect(serve({ port })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
});

test('keys: one per tenant, kept by asking and by use, replaced by rotation', async () => {
  const { keys, key, port, runtimes } = await serve();
  expect(await keys.obtain(TENANT)).toBe(key);
  expect((await Promise.all([keys.obtain(OTHER), keys.obtain(OTHER)])).map(String)).toEqual([
    await keys.obtain(OTHER),
    await keys.obtain(OTHER),
  ]);
  expect(await keys.tenantOf(key)).toBe(TENANT);
  await TestPlugin.register(port, key);
  await installed(runtimes);
  const fresh = await keys.rotate(TENANT);
  expect(await keys.tenantOf(key)).toBeUndefined();
  expect(await keys.tenantOf(fresh)).toBe(TENANT);
  expect(runtimes.size).toBe(1);
  expect(await answerTo(port, line('handshake', { key }))).toBe('handshake failed, invalid key\n');
});

test('keys outlive a restart where they are kept in a file, and a damaged file costs only the keys', async () => {
  const file = join(directory, 'keys.json');
  const fresh = () =>
    new DebuggingKeys({ cache: openMemoryCache({ onListenerError: () => undefined }), kept: new KeyFile(file) });
  const key = await fresh().obtain(TENANT);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await fresh().tenantOf(key)).toBe(TENANT);
  expect(await fresh().obtain(TENANT)).toBe(key);
  writeFileSync(file, '{"cut');
  expect(await fresh().tenantOf(key)).toBeUndefined();
});

test('a call waits for a plugin that left a moment ago, and only for that', async () => {
  const { server, port, key, runtimes } = await serve();
  expect(await runtimes.returning(TENANT, PLUGIN)).toBeUndefined();
  const plugin = await TestPlugin.register(port, key);
  await installed(runtimes);
  plugin.leave();
  await until(() => runtimes.size === 0);
  const waiting = [runtimes.returning(TENANT, PLUGIN), runtimes.returning(TENANT, PLUGIN)];
  const back = await TestPlugin.register(port, key);
  const [one, two] = await Promise.all(waiting);
  expect(one).toBe(runtimes.find(TENANT, PLUGIN));
  expect(two).toBe(one);
  expect(await runtimes.returning(TENANT, PLUGIN)).toBe(one);
  back.leave();
  await until(() => runtimes.size === 0);
  const hopeless = runtimes.returning(TENANT, PLUGIN);
  await server.close();
  expect(await hopeless).toBeUndefined();
});

test('whatever comes in on one connection, the daemon lives and no other session hears of it', async () => {
  const { port, key, keys, runtimes } = await serve({ limits: { failuresPerMinute: 1_000_000 } });
  const victim = await TestPlugin.register(port, key);
  await installed(runtimes);
  const hostile = await keys.obtain(OTHER);
  const { heard, sink } = collector();
  const session_id = '8417b807-017e-4973-9699-c82654a3bb09';
  runtimes.find(TENANT, PLUGIN)?.open(session_id, sink);

  const event = fc.record({
    event: fc.constantFrom('session', 'heartbeat', 'log', 'error', 'x'),
    session_id: fc.constantFrom(session_id, null, '', 'other'),
    data: fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constantFrom('stream', 'end', 'error', 'invoke', 'x'), data: fc.jsonValue() }),
    ),
  });
  const message = fc.record({
    type: fc.constantFrom(
      'handshake',
      'manifest_declaration',
      'tool_declaration',
      'asset_chunk',
      'end',
      '',
      '__proto__',
    ),
    data: fc.jsonValue(),
  });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.oneof(event, message).map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
  );
  const starts = fc.constantFrom('nothing', 'handshake', 'registration');
  await fc.assert(
    fc.asyncProperty(starts, fc.array(piece, { maxLength: 20 }), async (start, pieces) => {
      const attacker =
        start === 'registration' ? await TestPlugin.register(port, hostile) : await TestPlugin.connect(port);
      if (start === 'handshake') attacker.send(line('handshake', { key: hostile }));
      for (const bytes of pieces) attacker.socket.write(bytes);
      attacker.socket.end('\n');
      await attacker.closed;
    }),
    { numRuns: 150 },
  );
  expect(heard).toEqual([]);
  victim.say({ event: 'session', session_id, data: { type: 'stream', data: 1 } });
  await until(() => heard.length > 0);
  expect(heard).toEqual(['1']);
});
