/** Request bodies that are not what they should be. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, failureOf, ONE, TestDaemon, toolBody } from './harness.ts';
import { AUTHOR, rudePackage } from './plugins/package.ts';

const MIB = 1024 * 1024;
const LIMIT = 101 * MIB;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({ settings: { MAX_DISPATCH_BODY_BYTES: String(LIMIT) } });
  await daemon.install(rudePackage('rude'));
}, 240_000);

afterAll(async () => {
  await daemon?.close();
});

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const INVOKE = `/plugin/${ONE}/dispatch/tool/invoke`;
const dispatch = (
  body: string | Buffer | AsyncIterable<Buffer>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  daemon.answer('POST', INVOKE, { headers: { ...JSON_HEADERS, 'X-Plugin-ID': `${AUTHOR}/rude`, ...headers }, body });
const manage = (body: string | Buffer): Promise<Answer> =>
  daemon.answer('POST', `/plugin/${ONE}/management/install/identifiers`, { headers: JSON_HEADERS, body });

async function serves(): Promise<void> {
  expect((await daemon.call('rude', 'echo', { parameters: { text: 'on' } })).texts).toEqual(['on']);
}

test.each([
  ['nothing', ''],
  ['words', 'not json'],
  ['half an object', '{"user_id":"u","data":'],
  ['another type', '[1,2,3]'],
  ['null', 'null'],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ['deep nesting', '['.repeat(100_000)],
])('a body that is %s is answered with 400 by dispatch and by management', async (_name, body) => {
  for (const { status, text } of [await dispatch(body), await manage(body)]) {
    expect(status).toBe(400);
    expect(failureOf(text)).toMatchObject({ code: -400, type: 'PluginDaemonBadRequestError' });
    expect(failureOf(text).message.length).toBeGreaterThan(10);
  }
  await serves();
});

test('wrong types are named by their fields', async () => {
  const wrong = await dispatch(JSON.stringify({ user_id: 7, data: { provider: 1, tool: {}, tool_parameters: 'x' } }));
  expect(wrong.status).toBe(400);
  expect(failureOf(wrong.text).message).toMatch(/Provider/);
  const list = await manage(JSON.stringify({ plugin_unique_identifiers: 'one', source: 1, metas: {} }));
  expect(list.status).toBe(400);
  expect(failureOf(list.text).message).toMatch(/PluginUniqueIdentifiers|Source/);
  await serves();
});

test('a missing plugin id, an unknown plugin, an unknown tenant', async () => {
  const nameless = await daemon.answer('POST', INVOKE, { headers: JSON_HEADERS, body: toolBody('rude', 'echo') });
  expect(failureOf(nameless.text)).toMatchObject({ code: -400, message: 'plugin_id is required' });
  const unknown = await dispatch(toolBody('rude', 'echo'), { 'X-Plugin-ID': 'tests/nobody' });
  expect(unknown.status).toBe(404);
  expect(failureOf(unknown.text)).toMatchObject({ code: -404, type: 'PluginNotFoundError' });
  const other = INVOKE.replace(ONE, '00000000-0000-4000-8000-0000000000ff');
  const stranger = await daemon.answer('POST', other, {
    headers: { ...JSON_HEADERS, 'X-Plugin-ID': `${AUTHOR}/rude` },
    body: toolBody('rude', 'echo'),
  });
  expect(failureOf(stranger.text)).toMatchObject({ code: -404, type: 'PluginNotFoundError' });
});

test('a wrong key, and none', async () => {
  for (const headers of [{}, { 'X-Api-Key': 'wrong' }, { 'X-Api-Key': '' }]) {
    const { status, text } = await daemon.answer('POST', INVOKE, {
      headers,
      key: false,
      body: toolBody('rude', 'echo'),
    });
    expect(status).toBe(401);
    expect(failureOf(text)).toMatchObject({
      code: -401,
      type: 'PluginDaemonUnauthorizedError',
      message: 'unauthorized',
    });
  }
});

/** A valid call of about so many bytes. */
const large = (bytes: number): string => toolBody('rude', 'echo', { text: 'z'.repeat(bytes) });

test('100 MB to a plugin arrive whole', async () => {
  const size = 100 * MIB - 1000;
  // The plugin's answer would be larger than a message may be; it is asked for its process instead.
  const { text } = await dispatch(toolBody('rude', 'pid', { text: 'z'.repeat(size) }));
  expect(text).toMatch(/"text":"\d+"/);
});

test.each([
  ['announced', (body: string) => body],
  [
    'in pieces',
    async function* (body: string) {
      for (let at = 0; at < body.length; at += MIB) yield Buffer.from(body.slice(at, at + MIB));
    },
  ],
])('more than the limit (%s) is refused with limit and setting, and the refusal can be read', async (_name, form) => {
  const { status, text } = await dispatch(form(large(2 * LIMIT)));
  expect(status).toBe(413);
  expect(failureOf(text)).toMatchObject({ code: -400, type: 'PluginDaemonBadRequestError' });
  expect(failureOf(text).message).toContain(String(LIMIT));
  expect(failureOf(text).message).toContain('MAX_DISPATCH_BODY_BYTES');
  await serves();
});

test('100 MB to a management route are refused', async () => {
  const { status, text } = await manage(`{"source":"${'z'.repeat(100 * MIB)}"}`);
  expect(status).toBe(413);
  expect(failureOf(text)).toMatchObject({ code: -400, type: 'PluginDaemonBadRequestError' });
  await serves();
});

test('100 MB that are not JSON', async () => {
  const { status, text } = await dispatch('z'.repeat(100 * MIB));
  expect(status).toBe(400);
  expect(failureOf(text).code).toBe(-400);
  await serves();
});

test('routes and methods that do not exist', async () => {
  expect((await daemon.answer('GET', '/nothing/here')).status).toBe(404);
  expect((await daemon.answer('PUT', INVOKE)).status).toBe(404);
  expect((await daemon.answer('GET', `/plugin/${ONE}/management/install/tasks/%ff`)).status).toBeGreaterThanOrEqual(
    200,
  );
  await serves();
});
