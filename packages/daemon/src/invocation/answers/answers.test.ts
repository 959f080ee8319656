import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import { toLatin1 } from '@plugin-daemon/plugin-host/text';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dispatchActions } from '../actions.ts';
import { agentMessages } from './agent.ts';
import { type AnswerSpec, isStringContent } from './answer.ts';
import { llmChunks } from './llm.ts';
import { modelSchema, polling } from './models.ts';
import { options, runtimeParameters } from './others.ts';
import { toolMessages } from './tool.ts';

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

/** What a new reader makes of one answer; text comes back as ordinary text. */
function read(spec: AnswerSpec, value: unknown, reader = spec.reader()): string | SessionError | undefined {
  const out = reader(toLatin1(typeof value === 'string' ? value : JSON.stringify(value)));
  return typeof out === 'string' ? utf8(out) : out;
}

const error = (spec: AnswerSpec, value: unknown): string => {
  const out = read(spec, value);
  if (typeof out !== 'object') throw new Error(`accepted: ${out}`);
  expect(out.errorType).toBe('unmarshal_error');
  return out.message;
};

test.each(dispatchActions.map((action) => [action.action, action.answer] as const))(
  '%s: text that is no JSON is given back, other values are refused or passed, never thrown',
  (_name, spec) => {
    expect(read(spec, '{"half":')).toBeUndefined();
    for (const value of ['null', '[]', '7', '"text"', '{}', '{"result":[[[]]]}']) {
      const out = read(spec, value);
      expect(
        typeof out === 'string' || (typeof out === 'object' && out.message.startsWith('unmarshal json failed: ')),
      ).toBe(true);
    }
  },
);

test('no answer of any action makes a reader throw, and accepted ones stay JSON', () => {
  fc.assert(
    fc.property(fc.constantFrom(...dispatchActions), fc.jsonValue(), ({ answer }, value) => {
      const out = read(answer, JSON.stringify(value));
      if (typeof out === 'string' && out !== '') JSON.parse(out);
    }),
    { numRuns: 500 },
  );
});

describe('tool messages', () => {
  const usual = '{"type":"text","message":{"text":"hi"},"meta":null}';

  test('the usual form goes through untouched, quick or not', () => {
    expect(read(toolMessages, usual)).toBe(usual);
    const spaced = '{ "type": "text", "message": { "text": "ü \\u2028 \\n" }, "meta": null }';
    expect(read(toolMessages, spaced)).toBe(spaced);
  });

  test('what only looks like the usual form is read with care', () => {
    // A quote ends the text early: the head and the tail are those of other members.
    const sly = '{"type":"text","message":{"text":"a"},"type":"nonsense","x":{"text":"b"},"meta":null}';
    expect(error(toolMessages, sly)).toContain('is_valid_tool_response_chunk_type');
    expect(read(toolMessages, '{"type":"text","message":{"text":"bad \\q escape"},"meta":null}')).toBeUndefined();
    // Head and tail share a quote: neither is whole.
    expect(read(toolMessages, '{"type":"text","message":{"text":"},"meta":null}')).toBeUndefined();
  });

  test('unknown types are refused by name', () => {
    expect(error(toolMessages, { type: 'nonsense', message: {}, meta: null })).toContain(
      "failed on the 'is_valid_tool_response_chunk_type' tag",
    );
    expect(error(toolMessages, { message: {} })).toContain("failed on the 'required' tag");
  });
});

test('isStringContent agrees with the JSON parser', () => {
  const piece = fc.oneof(
    fc.constantFrom('\\', '"', '\\"', '\\n', '\\u00e9', '\\u12', '\\x', '\n', '\u0000', 'ü', '}'),
    fc.string({ unit: 'binary-ascii', maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const inside = pieces.join('');
      let valid = true;
      try {
        valid = typeof JSON.parse(`"${inside}"`) === 'string';
      } catch {
        valid = false;
      }
      expect(isStringContent(`"${inside}"`, 1, inside.length + 1)).toBe(valid);
    }),
  );
});

describe('agent messages', () => {
  const chunk = (id: string, data: string, end = false) => ({
    type: 'blob_chunk',
    message: { id, sequence: 0, total_length: 10, blob: Buffer.from(data).toString('base64'), end },
    meta: { mime: 'x' },
  });

  test('the chunks of a file become one blob when its end comes; files may be mixed', () => {
    const reader = agentMessages.reader();
    const sent = [
      chunk('a', 'one '),
      chunk('b', 'ü'),
      chunk('a', 'two'),
      chunk('a', '', true),
      chunk('b', '', true),
    ].map((message) => read(agentMessages, message, reader));
    expect(sent.slice(0, 3)).toEqual(['', '', '']);
    const blobs = sent.slice(3).map((text) => JSON.parse(String(text)));
    expect(blobs.map((blob) => Buffer.from(blob.message.blob, 'base64').toString())).toEqual(['one two', 'ü']);
    expect(blobs[0]).toMatchObject({ type: 'blob', meta: { mime: 'x' } });
  });

  test('a chunk that is too large, a file that is too large, data that is no base64: the session fails with the limit', () => {
    expect(read(agentMessages, chunk('a', 'x'.repeat(9000)))).toMatchObject({ args: { limit_bytes: 8192 } });
    const reader = agentMessages.reader();
    const part = chunk('a', 'x'.repeat(8192));
    let last: unknown = '';
    for (let n = 0; n < 2000 && last === ''; n++) last = read(agentMessages, part, reader);
    expect(last).toMatchObject({ message: 'file is too large', args: { limit_bytes: 15 * 1024 * 1024 } });
    const broken = { ...chunk('a', ''), message: { id: 'a', sequence: 0, total_length: 1, blob: '!!!', end: false } };
    expect(read(agentMessages, broken)).toMatchObject({ errorType: 'ValueError' });
  });

  test('files count for their session, empty ones too; beyond the limit it fails and names it', () => {
    const budget = new ByteBudget({ what: 'files of agents', total: 100_000, setting: 'AGENT_FILES_BUDGET_BYTES' });
    const room = budget.room('a/b', 50_000);
    const reader = agentMessages.reader(room);
    let last: unknown = '';
    let count = 0;
    for (; count < 1000 && last === ''; count++) last = read(agentMessages, chunk(`file ${count}`, ''), reader);
    expect(count).toBeLessThan(50);
    expect(last).toMatchObject({
      message: expect.stringMatching(
        /cannot be kept: files of agents of one call may hold 50000 bytes.*AGENT_FILES_BUDGET_BYTES/,
      ),
      args: { limit_bytes: 50_000 },
    });
    expect(room.held).toBeLessThanOrEqual(50_000);
  });

  test('thousands of chunks of one byte hold little more than their bytes', () => {
    const budget = new ByteBudget({ what: 'files of agents', total: 100_000 });
    const reader = agentMessages.reader(budget.room('a/b'));
    for (let n = 0; n < 10_000; n++) expect(read(agentMessages, chunk('a', 'x'), reader)).toBe('');
    expect(budget.used).toBeLessThan(20_000);
    const whole = JSON.parse(String(read(agentMessages, chunk('a', '', true), reader)));
    expect(Buffer.from(whole.message.blob, 'base64').toString()).toBe('x'.repeat(10_000));
  });

  test('no chunk takes long to be refused', () => {
    const broken = {
      ...chunk('a', ''),
      message: { id: 'a', sequence: 0, total_length: 1, blob: `${'\n'.repeat(1e6)}!`, end: false },
    };
    expect(read(agentMessages, broken)).toMatchObject({ message: 'single file chunk is too large' });
    const small = { ...broken, message: { ...broken.message, blob: `${'\n'.repeat(30_000)}!` } };
    expect(read(agentMessages, small)).toMatchObject({ errorType: 'ValueError' });
  });

  test('readers do not share files', () => {
    expect(read(agentMessages, chunk('a', 'secret'))).toBe('');
    expect(JSON.parse(String(read(agentMessages, chunk('a', '', true)))).message.blob).toBe('');
  });

  test('a text that speaks of blob_chunk is a text', () => {
    const text = { type: 'text', message: { text: 'about blob_chunk' }, meta: null };
    expect(JSON.parse(String(read(agentMessages, text)))).toEqual(text);
  });
});

describe('LLM chunks', () => {
  const chunk = (index: number, content: unknown, more: object = {}) => ({
    model: 'm',
    prompt_messages: [],
    system_fingerprint: null,
    delta: {
      index,
      message: { role: 'assistant', content, name: '', tool_calls: [] },
      usage: null,
      finish_reason: null,
    },
    ...more,
  });

  test('a complete chunk goes through as it came', () => {
    const text = JSON.stringify(chunk(0, 'hi')).replace('"index":0', '"index": 0');
    expect(JSON.parse(String(read(llmChunks, text)))).toMatchObject({
      delta: { index: 0, message: { content: 'hi' } },
    });
  });

  test('prompt messages are emptied, missing lists filled', () => {
    const echoed = chunk(0, 'hi', { prompt_messages: [{ role: 'user', content: 'x'.repeat(1000) }] });
    expect(JSON.parse(String(read(llmChunks, echoed)))).toMatchObject({ prompt_messages: [] });
    const { prompt_messages: _gone, ...without } = chunk(0, 'hi');
    expect(JSON.parse(String(read(llmChunks, without)))).toMatchObject({
      prompt_messages: [],
      delta: { message: { tool_calls: [] } },
    });
  });

  test.each([
    ['no content', chunk(0, null), 'content field is required'],
    ['a number as content', chunk(0, 7), 'content must be a string or an array'],
    ['no model', { ...chunk(0, 'x'), model: '' }, "failed on the 'required' tag"],
  ])('%s is refused', (_name, value, text) => {
    expect(error(llmChunks, value)).toContain(text);
  });

  test('the short cut for alike chunks gives what careful reading gives', () => {
    const content = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '"', '\\', '\u2028', 'ü😀', '","usage":null}', '{"index":5}'),
      fc.constant([{ type: 'text', data: 'x' }]),
      fc.constant(null),
      fc.constant(7),
    );
    const one = fc.record({
      index: fc.oneof(fc.nat(), fc.constant(-1), fc.constant(1.5)),
      content,
      role: fc.constantFrom('assistant', '', 'user'),
      finish: fc.constantFrom(null, 'stop'),
      extra: fc.constantFrom(
        {},
        { system_fingerprint: 'f' },
        { model: 'other' },
        { prompt_messages: [{ role: 'user' }] },
      ),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 2, maxLength: 8 }), (chunks) => {
        const reader = llmChunks.reader();
        for (const { index, content, role, finish, extra } of chunks) {
          const value = chunk(index, content, extra);
          value.delta.message.role = role;
          const text = JSON.stringify({ ...value, delta: { ...value.delta, finish_reason: finish } });
          const quick = read(llmChunks, text, reader);
          const careful = read(llmChunks, text);
          if (typeof careful === 'string') expect(JSON.parse(String(quick))).toEqual(JSON.parse(careful));
          else expect(quick).toEqual(careful);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('polling', () => {
  test.each([
    [{ status: 'running' }, 'required_for_running'],
    [{ status: 'succeeded' }, 'required_for_succeeded'],
    [{ status: 'succeeded', result: null }, 'required_for_succeeded'],
    [{ status: 'failed', error: '  ' }, 'required_for_failed'],
    [{ status: 'asleep' }, 'oneof'],
  ])('%j is refused', (value, tag) => {
    expect(error(polling, value)).toContain(`'${tag}' tag`);
  });

  test('complete states pass', () => {
    for (const value of [
      { status: 'running', plugin_state: { a: 1 } },
      { status: 'succeeded', result: {} },
      { status: 'succeeded', result: false },
      { status: 'running', plugin_state: { a: 1 }, result: null },
      { status: 'failed', error: 'why' },
    ])
      expect(JSON.parse(String(read(polling, value)))).toMatchObject(value);
  });
});

test('a model schema is completed, null is kept, nonsense is refused', () => {
  expect(JSON.parse(String(read(modelSchema, { model_schema: null })))).toEqual({ model_schema: null });
  expect(error(modelSchema, { model_schema: 7 }).length).toBeGreaterThan(20);
  expect(error(modelSchema, [])).toContain('GetModelSchemasResponse');
});

test('parameters a plugin makes at run time are completed, not judged', () => {
  const out = read(runtimeParameters, { parameters: [{ name: 'n', later: 1 }] });
  expect(JSON.parse(String(out))).toEqual({
    parameters: [
      {
        name: 'n',
        later: 1,
        label: { en_US: '' },
        human_description: { en_US: '' },
        type: '',
        scope: null,
        form: '',
        llm_description: '',
        required: false,
        auto_generate: null,
        template: null,
        default: null,
        min: null,
        max: null,
        multiple: false,
        precision: null,
        options: null,
      },
    ],
  });
  expect(error(runtimeParameters, { parameters: [{ label: { en_US: 7 } }] })).toBe(
    'unmarshal json failed: json: cannot unmarshal number into Go struct field I18nObject.parameters.label.en_US of type string',
  );
});

test('options need a value and an English label', () => {
  expect(error(options, { options: [{}] })).toContain(
    "'DynamicSelectResult.Options[0].Label.EnUS' Error:Field validation for 'EnUS' failed on the 'required' tag",
  );
  expect(read(options, { options: [{ value: 'v', label: { en_US: 'V', zh_Hans: '' } }] })).toBe(
    '{"options":[{"value":"v","label":{"en_US":"V"},"icon":""}]}',
  );
});

test.each([
  [{ message: 7 }, 'message of type model_entities.promptMessageJSON'],
  [{ message: { role: 7 } }, 'message.role of type model_entities.PromptMessageRole'],
  [{ message: { tool_calls: 7 } }, 'message.tool_calls of type []model_entities.PromptMessageToolCall'],
  [{ message: { tool_calls: [{ id: 7 }] } }, 'message.tool_calls.id of type string'],
  [{ message: { role: 'assistant', content: [7] } }, 'message of type model_entities.PromptMessageContent'],
  [{ message: { role: 'assistant', content: [{ url: 7 }] } }, 'message.url of type string'],
])('fields of a message that do not decode: %j', (delta, place) => {
  expect(error(llmChunks, { model: 'm', delta })).toBe(
    `unmarshal json failed: json: cannot unmarshal number into Go struct field LLMResultChunkDelta.delta.${place}`,
  );
});

test.each([
  [undefined, /Delta\.Index' .*Delta\.Message\.Role' .*Delta\.Message\.Content' /s],
  [{ index: 0, message: { content: 'x' } }, /role field is required$/],
  [{ index: 0, message: { role: 'poet', content: 'x' } }, /'prompt_message_role' tag$/],
  [{ index: 0, message: { role: 'assistant', content: [{}] } }, /'prompt_message_content' tag$/],
])('a delta of the wrong form: %j', (delta, text) => {
  expect(error(llmChunks, { model: 'm', delta })).toMatch(text);
});

test('a model schema that does not decode is named from the whole answer', () => {
  expect(error(modelSchema, { model_schema: 7 })).toBe(
    'unmarshal json failed: json: cannot unmarshal number into Go struct field GetModelSchemasResponse.model_schema of type struct { *plugin_entities.alias }',
  );
  expect(error(modelSchema, { model_schema: { parameter_rules: [{ name: 7 }] } })).toContain(
    'Go struct field GetModelSchemasResponse.model_schema.alias.parameter_rules.alias.name of type string',
  );
  expect(error(modelSchema, { model_schema: {} })).toContain("Key: 'GetModelSchemasResponse.ModelSchema.Model'");
});

test.each([
  ['\\ud800x', '\ufffdx'],
  ['\\ud83d\\ude00', '😀'],
])('halves of surrogate pairs become replacement characters, pairs stay: %s', (escaped, text) => {
  const message = `{"type":"text","message":{"text":"${escaped}"},"meta":null}`;
  expect(JSON.parse(String(read(toolMessages, message)))).toMatchObject({ message: { text } });
  const chunk = `{"model":"m","prompt_messages":[],"system_fingerprint":"","delta":{"index":0,"message":{"role":"assistant","content":"${escaped}","name":"","tool_calls":[],"tool_call_id":""},"usage":null,"finish_reason":null}}`;
  expect(JSON.parse(String(read(llmChunks, chunk)))).toMatchObject({ delta: { message: { content: text } } });
  const schema = (more: string) =>
    `{"model_schema":{"model":"${escaped}","label":{"en_US":"m"},"model_type":"llm"${more}}}`;
  expect(JSON.parse(String(read(modelSchema, schema(''))))).toMatchObject({ model_schema: { model: text } });
  expect(
    error(modelSchema, JSON.parse(schema(`,"parameter_rules":[{"name":"n","use_template":"${escaped}"}]`))),
  ).toContain(`use_template ${text} not found`);
});
