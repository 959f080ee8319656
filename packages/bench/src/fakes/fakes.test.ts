import { expect, test } from 'vitest';
import { FrameReader, startFakeDify, startFakeOpenAi } from './index.ts';

async function ask(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

test('Dify streams what it is told, and an exception as an error frame', async () => {
  await using dify = await startFakeDify({
    key: 'k',
    llm: async function* (request) {
      yield { seen: request.model };
      throw new Error('quota used up');
    },
  });
  const answer = await ask(`${dify.url}/inner/api/invoke/llm`, { model: 'm' }, { 'x-inner-api-key': 'k' });
  const reader = new FrameReader();
  expect(reader.push(answer.body)).toEqual([
    { data: { seen: 'm' }, error: '' },
    { data: null, error: 'quota used up' },
  ]);
  expect(dify.requests.get('invoke/llm')).toBe(1);
});

test('Dify hides itself from callers without the key', async () => {
  await using dify = await startFakeDify({ key: 'k' });
  expect((await ask(`${dify.url}/inner/api/invoke/moderation`, {})).status).toBe(404);
  const known = await ask(`${dify.url}/inner/api/invoke/moderation`, {}, { 'x-inner-api-key': 'k' });
  expect(JSON.parse(known.body.toString())).toEqual({ data: { result: false }, error: '' });
});

test('secrets of endpoints are turned and nothing else', async () => {
  await using dify = await startFakeDify({ key: 'k' });
  const config = [
    { name: 'token', type: 'secret-input' },
    { name: 'mode', type: 'select' },
  ];
  const crypt = async (opt: string, data: unknown) => {
    const answer = await ask(`${dify.url}/inner/api/invoke/encrypt`, { opt, config, data }, { 'x-inner-api-key': 'k' });
    return JSON.parse(answer.body.toString()).data.data;
  };
  const hidden = await crypt('encrypt', { token: 'geheim', mode: 'a' });
  expect(hidden).toEqual({ token: `enc:${Buffer.from('geheim').toString('base64')}`, mode: 'a' });
  expect(await crypt('decrypt', hidden)).toEqual({ token: 'geheim', mode: 'a' });
});

const TOOLS = [
  {
    type: 'function',
    function: { name: 'report', parameters: { type: 'object', properties: {}, required: ['text'] } },
  },
];

test('the model calls a tool once, then answers from its result', async () => {
  await using model = await startFakeOpenAi();
  const url = `${model.url}/v1/chat/completions`;
  const question = { role: 'user', content: 'one two' };
  const first = JSON.parse((await ask(url, { messages: [question], tools: TOOLS })).body.toString());
  expect(first.choices[0].message.tool_calls[0].function).toEqual({ name: 'report', arguments: '{"text":"one two"}' });
  const second = await ask(url, { messages: [question, { role: 'tool', content: '2 words' }], tools: TOOLS });
  expect(JSON.parse(second.body.toString()).choices[0].message.content).toBe('The tool says: 2 words');
});

test('streamed pieces of a call add up to it', async () => {
  await using model = await startFakeOpenAi();
  const body = { stream: true, messages: [{ role: 'user', content: 'one two' }], tools: TOOLS };
  const text = (await ask(`${model.url}/v1/chat/completions`, body)).body.toString();
  const events = text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));
  const pieces = events.flatMap((event) => event.choices[0].delta.tool_calls ?? []);
  expect(pieces.map((piece) => piece.function.arguments).join('')).toBe('{"text":"one two"}');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('a wrong key is refused as OpenAI refuses it', async () => {
  await using model = await startFakeOpenAi({ apiKey: 'right' });
  const answer = await ask(`${model.url}/v1/chat/completions`, { messages: [] }, { authorization: 'Bearer wrong' });
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.body.toString()).error.message).toContain('Incorrect API key');
});
