/** The server of the serverless runtime interface as a daemon sees it: a real process, real functions, every failure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './harness.ts';
import { sendOnAfterRefusal } from './refused-sender.ts';
import { eventsOf, functionPackage, identifierOf, KEY, TestSri, textOf } from './sri-harness.ts';

let sri: TestSri;

beforeAll(async () => {
  sri = await TestSri.start();
});

afterAll(async () => {
  await sri[Symbol.asyncDispose]();
});

describe('the interface', () => {
  test('ping answers the JSON that daemons decode, to both methods and to nobody without the key', async () => {
    for (const method of ['POST', 'GET']) {
      const { status, text } = await sri.answer(method, '/ping');
      expect([status, text]).toEqual([200, '"pong"']);
    }
    for (const key of [null, '', 'wrong', `${KEY}x`, KEY.slice(0, -1)])
      expect((await sri.answer('POST', '/ping', { key })).status).toBe(401);
  });

  test('a package becomes a function that is found, called and told apart from those that are not', async () => {
    const packed = functionPackage('plain');
    const identifier = identifierOf(packed);
    expect(await sri.lookUp(identifier)).toEqual([]);
    const launched = await sri.launch(packed);
    expect(launched.failure).toBeUndefined();
    expect(launched.events.map(({ Stage, State }) => `${Stage} ${State}`)).toEqual(
      expect.arrayContaining([
        'healthz success',
        'start running',
        'build success',
        'run running',
        'run success',
        'end success',
      ]),
    );
    const located = launched.events.find(({ Stage, State }) => Stage === 'run' && State === 'success')?.Message ?? '';
    // Daemons split at commas, and each part at its only equals sign.
    expect(located.split(',').map((pair) => pair.split('=').length)).toEqual([2, 2, 2]);
    const [item] = await sri.lookUp(identifier);
    expect(item?.Endpoint).toBe(launched.endpoint);
    const [message] = await sri.messages(launched.endpoint, { do: 'echo', text: 'hello' });
    expect(message).toMatchObject({ echo: 'hello', query: '/invoke?action=invoke_tool' });
    expect((await sri.answer('GET', `${launched.endpoint}/health`, { key: null })).text).toBe('OK');
  });

  test('an address is known to nobody who was not told it', async () => {
    const { endpoint } = await sri.launch(functionPackage('secret'));
    const token = endpoint.slice(endpoint.lastIndexOf('/') + 1);
    for (const wrong of ['x', '', token.slice(0, -1), token.toLowerCase()]) {
      const { status } = await sri.answer('POST', `${endpoint.slice(0, -token.length)}${wrong}/invoke`, {
        key: null,
        body: '{}',
      });
      expect(status).toBe(404);
    }
    expect(sri.log).not.toContain(token);
  });

  test('what is no package is refused in words, and what is named wrongly too', async () => {
    const garbage = await sri.launch(Buffer.from('no zip at all'), { identifier: `tests/x:0.0.1@${'a'.repeat(64)}` });
    expect(garbage.failure?.Message).toContain('not a valid difypkg file');
    const other = await sri.launch(functionPackage('other'), { identifier: `tests/x:0.0.1@${'b'.repeat(64)}` });
    expect(other.failure?.Message).toContain('was named');
    const { status, text } = await sri.answer('POST', '/v1/launch', {
      body: 'x',
      headers: { 'Content-Type': 'text/plain' },
    });
    expect([status, text]).toEqual([400, expect.stringContaining('multipart')]);
  });

  test.each([
    ['crashes at its start', { crash: true }, 'exit code 3.*cannot go on'],
    ['cannot be read', undefined, 'failed to start'],
  ])('a function that %s fails the launch with its last words', async (name, variant, words) => {
    const packed = functionPackage(
      name.replaceAll(' ', '-'),
      variant ?? {},
      variant === undefined ? { 'main.py': 'oops(' } : {},
    );
    const { failure } = await sri.launch(packed);
    expect(failure?.Stage).toBe('run');
    expect(failure?.Message).toMatch(new RegExp(words, 's'));
    expect(await sri.lookUp(identifierOf(packed))).toEqual([]);
  });

  test('two who launch the same package get one build, and each the address under which it asked', async () => {
    const packed = functionPackage('twice', { slow: 0.5 });
    const both = await Promise.all([sri.launch(packed), sri.launch(packed)]);
    for (const { failure, endpoint } of both) expect([failure, endpoint]).toEqual([undefined, both[0]?.endpoint]);
    expect(await sri.metric('function_launches_total', { plugin_id: 'tests/twice', status: 'success' })).toBe(1);
  });

  test('a launch whose asker left goes on, and who asks again joins it', async () => {
    const packed = functionPackage('left', { slow: 1 });
    const leaving = new AbortController();
    const first = await sri.beginLaunch(packed, { signal: leaving.signal });
    first.on('error', () => undefined);
    leaving.abort();
    const { failure, endpoint } = await sri.launch(packed);
    expect(failure).toBeUndefined();
    expect(endpoint).not.toBe('');
    expect(await sri.metric('function_launches_total', { plugin_id: 'tests/left' })).toBe(1);
  });

  test('launched again, a function keeps its address while its instance is replaced; open calls finish', async () => {
    const packed = functionPackage('again');
    const { endpoint } = await sri.launch(packed);
    const [before] = await sri.messages(endpoint, { do: 'echo' });
    const open = sri.messages(endpoint, { do: 'drip', count: 30 });
    expect((await sri.launch(packed)).endpoint).toBe(endpoint);
    const [after] = await sri.messages(endpoint, { do: 'echo' });
    expect(after?.instance).not.toBe(before?.instance);
    expect(await open).toHaveLength(30);
  });

  test('a function is removed with all that belongs to it', async () => {
    const packed = functionPackage('removed');
    const { endpoint } = await sri.launch(packed);
    const file = `${identifierOf(packed).replace('/', '@').replace(':', '@')}.difypkg`;
    expect((await sri.answer('DELETE', `/v1/runner/instances?filename=${encodeURIComponent(file)}`)).status).toBe(200);
    expect(await sri.lookUp(identifierOf(packed))).toEqual([]);
    expect((await sri.call(endpoint, {})).statusCode).toBe(404);
  });

  test('functions are listed a page at a time', async () => {
    const names: string[] = [];
    let after = '';
    do {
      const { text } = await sri.answer('GET', `/v1/runner/instances?limit=2&after=${after}`);
      const { Items, Next = '' } = JSON.parse(text) as { Items: { Name: string }[]; Next?: string };
      expect(Items.length).toBeLessThanOrEqual(2);
      names.push(...Items.map(({ Name }) => Name));
      after = Next;
    } while (after !== '');
    expect(names.length).toBeGreaterThan(2);
    expect(names).toEqual([...new Set(names)].sort());
  });
});

describe('calls', () => {
  let endpoint: string;

  beforeAll(async () => {
    endpoint = (await sri.launch(functionPackage('called'))).endpoint;
  });

  test('what a function sends arrives piece by piece', async () => {
    const response = await sri.call(endpoint, { do: 'hold', file: '/dev/null' });
    const [first] = await new Promise<Buffer[]>((resolve) => response.once('data', (part: Buffer) => resolve([part])));
    expect(String(first)).toContain('"stream"');
    response.destroy();
  });

  test('a caller who leaves ends the call at the function', async () => {
    const leaving = new AbortController();
    const response = await sri.call(endpoint, { do: 'hold', file: 'tmp-left' }, { signal: leaving.signal });
    response.on('error', () => undefined);
    await new Promise((resolve) => response.once('data', resolve));
    leaving.abort();
    await eventually(
      'the call is over',
      async () =>
        (await sri.metric('plugin_invocations_total', { plugin_id: 'tests/called', status: 'client_disconnect' })) >
          0 || undefined,
    );
  });

  test('status and headers of a function pass as they are', async () => {
    const response = await sri.call(endpoint, { do: 'refuse', status: '418' });
    expect([response.statusCode, response.headers['x-function'], await textOf(response)]).toEqual([418, 'yes', 'nope']);
  });

  test('a function that dies before it answers is a 502, which daemons try again; the next call gets another instance', async () => {
    const response = await sri.call(endpoint, { do: 'die' });
    expect(response.statusCode).toBe(502);
    expect(JSON.parse(await textOf(response)).errorType).toBe('FunctionUnavailable');
    expect(await sri.messages(endpoint, { do: 'echo' })).toHaveLength(1);
  });

  test('a function that dies in the middle breaks the answer off', async () => {
    const response = await sri.call(endpoint, { do: 'half' });
    await expect(textOf(response)).rejects.toThrow('aborted');
    // What is streamed cannot be asked again of another instance, as this is: the next call finds one that lives.
    expect(await sri.messages(endpoint, { do: 'echo' })).toHaveLength(1);
  });

  test('a body without a length arrives whole; one over the limit is refused', async () => {
    const text = 'x'.repeat(300_000);
    const body = JSON.stringify({ session_id: 's', event: 'request', data: { do: 'echo', text } });
    const answer = await sri.answer('POST', `${endpoint}/invoke?action=invoke_tool`, {
      key: null,
      headers: { 'Transfer-Encoding': 'chunked' },
      body,
    });
    expect(JSON.parse(answer.text.split('\n')[0] ?? '').data.data.bytes).toBe(body.length);
    const large = await sri.answer('POST', `${endpoint}/invoke`, { key: null, body: Buffer.alloc(17 * 1024 * 1024) });
    expect([large.status, JSON.parse(large.text).errorType]).toEqual([413, 'RequestTooLarge']);
  });

  test('whoever is refused may finish sending, and reads why', async () => {
    const bytes = 17 * 1024 * 1024;
    expect(await sendOnAfterRefusal(sri.url, `${new URL(endpoint).pathname}/invoke`, bytes)).toBe('413 ended');
    expect(await sendOnAfterRefusal(sri.url, '/fn/no/such/invoke', bytes)).toBe('404 ended');
    expect(await sendOnAfterRefusal(sri.url, '/v1/launch', bytes)).toBe('401 ended');
    expect(await sendOnAfterRefusal(sri.url, '/v1/launch', bytes, { Authorization: KEY })).toBe('400 ended');
  });

  test('a function sees nothing of the keys of the server', async () => {
    const [environ] = await sri.messages(endpoint, { do: 'environ' });
    expect(environ).toMatchObject({ INSTALL_METHOD: 'serverless', DIFY_PLUGIN_DAEMON_URL: 'http://127.0.0.1:5002' });
    expect(JSON.stringify(environ)).not.toContain(KEY);
    expect(Object.keys(environ ?? {}).filter((name) => /^(SRI_|SERVER_KEY|DIFY_INNER)/.test(name))).toEqual([]);
  });

  test('a thousand streams at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 1000 }, () => sri.messages(endpoint, { do: 'drip', count: 3, pause: 0.2 })),
    );
    expect(all.every((messages) => messages.length === 3)).toBe(true);
  });
});

test('events are told as daemons read them: one line of JSON each, with all four fields', async () => {
  const text = await textOf(await sri.beginLaunch(functionPackage('lines')));
  for (const event of eventsOf(text)) expect(Object.keys(event).sort()).toEqual(['Message', 'Obj', 'Stage', 'State']);
});
