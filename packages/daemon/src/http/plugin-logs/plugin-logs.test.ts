import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PluginJournal, silentLog } from '../../telemetry/index.ts';
import { createHttpServer } from '../server.ts';
import type { HttpServer } from '../server-options.ts';
import { pluginLogRoutes } from './index.ts';

const TENANT = '11111111-1111-4111-8111-111111111111';
const journal = new PluginJournal((text) => text);
const log = journal.listeningTo(silentLog);
let server: HttpServer;
let port: number;

beforeAll(async () => {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'k',
    routes: pluginLogRoutes({ journal }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  ({ port } = await server.listen());
});

afterAll(async () => {
  await server.close(AbortSignal.timeout(1000));
});

function ask(query: string, headers: Record<string, string> = { 'X-Api-Key': 'k' }): Promise<IncomingMessage> {
  const path = `/plugin/${TENANT}/management/logs${query}`;
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).once('error', reject);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

const messages = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.replace(/^data: /, '')).data.message);

test('the last lines are answered as events, and the answer ends', async () => {
  for (const word of ['one', 'two\nlines', 'three']) log.info({ plugin: 'acme/a:0.0.1@aa', source: 'stderr' }, word);
  const response = await ask('?plugin_id=acme/a&lines=2');
  expect(response.headers['content-type']).toBe('text/event-stream');
  expect(messages(await textOf(response))).toEqual(['two\nlines', 'three']);
  expect(await textOf(await ask('?plugin_id=acme/unknown&lines=5'))).toBe('');
});

test.each(['', '?plugin_id=', '?plugin_id=a/b&lines=1001', '?plugin_id=a/b&lines=-1'])(
  '%s is refused',
  async (query) => {
    expect(JSON.parse(await textOf(await ask(query)))).toMatchObject({ code: -400 });
  },
);

test('without the key nothing is shown', async () => {
  expect((await ask('?plugin_id=acme/a&lines=2', {})).statusCode).toBe(401);
});

test('followers see what comes, and leave no trace', async () => {
  const response = await ask('?plugin_id=acme/b&follow=true');
  const seen = (async () => {
    for await (const chunk of response) return messages(String(chunk));
    return [];
  })();
  log.info({ plugin: 'acme/b:0.0.1@aa', source: 'stdout' }, 'now');
  expect(await seen).toEqual(['now']);
  // More than there may be at a time, one after the other.
  for (let at = 0; at < 40; at++) {
    const next = await ask('?plugin_id=acme/b&follow=true&lines=1');
    expect(next.statusCode).toBe(200);
    const closed = new Promise((resolve) => next.once('close', resolve));
    next.destroy();
    await closed;
  }
});

test('a journal that closes ends the answers', async () => {
  const response = await ask('?plugin_id=acme/b&follow=true');
  const text = textOf(response);
  journal.close();
  expect(await text).toBe('');
});
