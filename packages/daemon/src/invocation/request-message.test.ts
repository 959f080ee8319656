import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDispatchBody, requestLine } from './request-message.ts';
import { actionOf } from './testing.ts';

const tool = actionOf('/tool/invoke');

function read(text: string, action = tool, tenant: string | undefined = 'tenant-1') {
  return readDispatchBody(action, JSON.parse(text), text, tenant).finish();
}

const body = (data: string, rest = '"user_id":"u"') => `{${rest},"data":${data}}`;
const minimal = '"provider":"p","tool":"t"';

test('the caller’s own text of the data travels: digits, unknown fields, spaces', () => {
  const { data } = read(
    body(`{ ${minimal}, "tool_parameters": {"n": 1.000, "big": 12345678901234567890}, "new": [1 , 2] }`),
  );
  expect(data).toContain('"tool_parameters": {"n": 1.000, "big": 12345678901234567890}, "new": [1 , 2]');
  expect(JSON.parse(data)).toMatchObject({
    user_id: 'u',
    type: 'tool',
    action: 'invoke_tool',
    provider: 'p',
    tool: 't',
  });
});

test('missing fields are filled in, so that the SDK’s models accept the request', () => {
  const { data } = read(body(`{${minimal}}`));
  expect(JSON.parse(data)).toMatchObject({ tool_parameters: null, credentials: null });
});

test('a caller cannot change what routes the request', () => {
  const { data } = read(body(`{${minimal},"type":"model","action":"invoke_llm","user_id":"another"}`));
  const parsed = JSON.parse(data);
  expect(parsed).toMatchObject({ user_id: 'u', type: 'tool', action: 'invoke_tool' });
  // Not even by writing a key twice: parsers take the last one.
  expect(data.match(/"action"/g)).toHaveLength(1);
  expect(data.match(/"user_id"/g)).toHaveLength(1);
});

test('the tenant of the path wins; without a path it is the body’s', () => {
  const text = body(`{${minimal}}`, '"user_id":"u","tenant_id":"of the body"');
  expect(read(text).envelope.tenantId).toBe('tenant-1');
  const direct = readDispatchBody(tool, JSON.parse(text), text, undefined).finish();
  expect(direct.envelope.tenantId).toBe('of the body');
});

test('the envelope: absent is null, the context is passed on as text', () => {
  const { envelope } = read(
    body(`{${minimal}}`, '"user_id":"u","conversation_id":"c","app_id":null,"context":{"x": 1.0}'),
  );
  expect(envelope).toEqual({
    tenantId: 'tenant-1',
    userId: 'u',
    conversationId: 'c',
    messageId: null,
    appId: null,
    endpointId: null,
    context: '{"x": 1.0}',
  });
  expect(read(body(`{${minimal}}`)).envelope.context).toBe('null');
});

test('line ends in the caller’s text do not break the line', () => {
  const { envelope, data } = read(body(`{\n${minimal},\r\n"tool_parameters": {\n}\n}`, '"user_id":"u","context":{\n}'));
  const line = requestLine('s', envelope, data);
  expect(line).not.toMatch(/[\r\n]/);
  expect(JSON.parse(line)).toMatchObject({ event: 'request', data: { tool: 't' } });
});

test('lone surrogates, which parsers in plugins refuse, become replacement characters', () => {
  const { data } = read(body(`{${minimal},"tool_parameters":{"text":"a\\ud800b"}}`));
  expect(data).not.toMatch(/\\u[dD][89abAB]/);
  expect(JSON.parse(data).tool_parameters.text).toBe('a\ufffdb');
});

test('pairs of surrogates survive', () => {
  const { data } = read(body(`{${minimal},"tool_parameters":{"text":"\\ud83d\\ude00"}}`));
  expect(JSON.parse(data).tool_parameters.text).toBe('😀');
});

test('lists that counting needs are never null', () => {
  const action = actionOf('/llm/num_tokens');
  for (const lists of ['', ',"prompt_messages":null,"tools":null']) {
    const { data } = read(body(`{"provider":"p","model":"m","model_type":"llm"${lists}}`), action);
    expect(JSON.parse(data)).toMatchObject({ prompt_messages: [], tools: [] });
  }
});

test('any parameters arrive as they were', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (parameters) => {
      const text = JSON.stringify({ user_id: 'u', data: { provider: 'p', tool: 't', tool_parameters: parameters } });
      const { envelope, data } = read(text);
      const line = requestLine('s', envelope, data);
      expect(line).not.toMatch(/[\r\n]/);
      expect(JSON.parse(line).data.tool_parameters).toEqual(JSON.parse(text).data.tool_parameters);
    }),
  );
});

test('ids in the envelope are escaped', () => {
  const { envelope, data } = read(body(`{${minimal}}`, '"user_id":"u\\"","app_id":"a\\"b\\n"'));
  expect(JSON.parse(requestLine('s', envelope, data))).toMatchObject({ app_id: 'a"b\n', data: { user_id: 'u"' } });
});

test.each([null, 5, ''])('what is left out when empty is not sent as it was given: %j', (given) => {
  const own = `{"provider":"p","model":"m","model_type":"llm","credential_type":${JSON.stringify(given)},"tool_choice":null}`;
  const data = JSON.parse(read(body(own), actionOf('/llm/invoke')).data);
  expect(data).not.toHaveProperty('credential_type');
  expect(data).not.toHaveProperty('tool_choice');
});

test('where one field has to be changed, the others keep what they hold', () => {
  const messages = [{ role: 'user', content: 'hi', name: 'n', later: 1 }];
  const own = JSON.stringify({
    provider: 'p',
    model: 'm',
    model_type: 'llm',
    credentials: 5,
    prompt_messages: messages,
  });
  const data = JSON.parse(read(body(own), actionOf('/llm/num_tokens')).data);
  expect(data).toMatchObject({ credentials: null, prompt_messages: messages });
});
