/**
 * What plugins may say and should not: every event, with an odd value in every place. JSON text, since half of it cannot be made from
 * values. Used by the tests of the channel, of sessions and of a whole daemon.
 */
import fc from 'fast-check';

const DEEP = 30_000;
const nested = (open: string, close: string, depth = DEEP): string => open.repeat(depth) + close.repeat(depth);

/** JSON texts by name; some are none. */
export const oddValues: ReadonlyMap<string, string> = new Map(
  Object.entries({
    null: 'null',
    true: 'true',
    false: 'false',
    zero: '0',
    'minus zero': '-0',
    fraction: '0.1',
    'beyond all numbers': '1e999',
    'below all numbers': '-1e999',
    'a large integer': '123456789012345678901234567890',
    'a long number': `1${'0'.repeat(5000)}`,
    'an empty text': '""',
    'a text': '"x"',
    'a lone surrogate': '"\\ud800"',
    'another lone surrogate': '"a\\udc00b"',
    'a NUL': '"\\u0000"',
    'control characters': '"\\u001b[31m\\r\\nforged\\u0085\\u2028"',
    'a long text': `"${'x'.repeat(100_000)}"`,
    'zeros before a digit': `"0.${'0'.repeat(50_000)}1"`,
    'digits before a letter': `"${'1'.repeat(50_000)}x"`,
    'line ends': `"${'\\n'.repeat(50_000)}!"`,
    'an event in a text': '"{\\"event\\":\\"heartbeat\\",\\"data\\":{}}"',
    __proto__: '"__proto__"',
    constructor: '"constructor"',
    'an empty list': '[]',
    'lists in lists': '[[[]]]',
    'a list of all': '[null,0,"",[],{},true,1e999]',
    'a long list': `[${'0,'.repeat(50_000)}0]`,
    'an empty object': '{}',
    'no toString': '{"toString":1}',
    'no toJSON': '{"toJSON":1,"valueOf":null,"toString":{}}',
    'a prototype': '{"__proto__":{"toString":null},"constructor":{"prototype":[]}}',
    'a prototype of nothing': '{"__proto__":null}',
    'length of a list': '{"length":1e9,"0":1}',
    'then of a promise': '{"then":"x","catch":{}}',
    'keys twice': '{"type":"stream","type":7,"data":1,"data":null}',
    'keys in capitals': '{"TYPE":1,"Message":[],"ID":{}}',
    'an empty key': '{"":{"":[]}}',
    'a long key': `{"${'k'.repeat(100_000)}":1}`,
    'a key with a surrogate': '{"\\ud800":"\\udfff"}',
    'many keys': `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
    'deep lists': nested('[', ']'),
    'deep objects': `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
    'deep and without end': '['.repeat(DEEP),
    'as deep as may be': nested('[', ']', 990),
    'no JSON': "{'a': nan}",
    nothing: '',
    'an open text': '"',
    'raw bytes': '"\u00ff\u00fe"',
  }),
);

const HOLE = '@';
const SESSION = '%';

const stream = (data: string): string =>
  `{"event":"session","session_id":"${SESSION}","data":{"type":"stream","data":${data}}}`;
const back = (data: string): string =>
  `{"event":"session","session_id":"${SESSION}","data":{"type":"invoke","data":${data}}}`;
const call = (type: string, request: string): string =>
  back(`{"type":"${type}","backwards_request_id":"odd","request":${request}}`);
const error = (data: string): string =>
  `{"event":"session","session_id":"${SESSION}","data":{"type":"error","data":${data}}}`;

/** Lines with one place for a value (`@`) and the session's id (`%`). */
const frames: readonly string[] = [
  HOLE,
  '{"event":@}',
  '{"event":@,"session_id":"%","data":{}}',
  '{"event":"nonsense","data":@}',
  '{"event":"heartbeat","session_id":@,"data":{}}',
  '{"event":"heartbeat","data":@}',
  '{"event":"heartbeat","event":@}',
  '{"event":"log","data":@}',
  '{"event":"log","data":{"level":@,"message":"m","timestamp":1}}',
  '{"event":"log","data":{"level":"INFO","message":@,"timestamp":1}}',
  '{"event":"log","data":{"level":"INFO","message":"m","timestamp":@}}',
  '{"event":"error","session_id":"%","data":@}',
  '{"event":"error","data":{"error":@,"error_type":@}}',
  '{"event":"session","session_id":@,"data":{"type":"stream","data":{}}}',
  '{"event":"session","session_id":@,"data":{"type":"invoke","data":{"type":"tool","backwards_request_id":"x","request":{}}}}',
  '{"event":"session","session_id":"none","data":{"type":"invoke","data":{"backwards_request_id":@}}}',
  '{"event":"session","session_id":"%","data":@}',
  '{ "event" : "session", "session_id" : "%", "data" : @ }',
  '{"event":"session","session_id":"%","data":{"type":@,"data":{}}}',
  '{"event":"session","session_id":"%","data":{"type":"nonsense","data":@}}',
  '{"event":"session","session_id":"%","data":{"type":"end","data":@}}',
  '{"data":{"data":@,"type":"stream"},"session_id":"%","event":"session"}',
  stream('@'),
  `${stream('@')} `,
  stream('{"type":@,"message":{},"meta":null}'),
  stream('{"type":"text","message":@,"meta":null}'),
  stream('{"type":"text","message":{"text":@},"meta":null}'),
  stream('{"type":"text","message":{"text":"x"},"meta":@}'),
  stream('{"type":"json","message":{"json_object":@},"meta":{}}'),
  stream('{"type":"blob_chunk","message":{"id":@,"total_length":1,"blob":"","end":false},"meta":{}}'),
  stream('{"type":"blob_chunk","message":{"id":"f","total_length":@,"blob":"AA==","end":false},"meta":{}}'),
  stream('{"type":"blob_chunk","message":{"id":"f","total_length":1,"blob":@,"end":false},"meta":{}}'),
  stream('{"type":"blob_chunk","message":{"id":"f","total_length":1,"blob":"","end":@},"meta":{}}'),
  stream('{"model":@,"delta":{}}'),
  stream('{"model":"m","delta":@}'),
  stream('{"model":"m","delta":{"index":@,"message":{"role":"assistant","content":""}}}'),
  stream('{"model":"m","delta":{"index":0,"message":@}}'),
  stream('{"model":"m","delta":{"index":0,"message":{"role":@,"content":@,"tool_calls":@}}}'),
  stream('{"model":"m","delta":{"index":0,"message":{"role":"assistant","content":[@]},"usage":@}}'),
  stream(
    '{"model":"m","delta":{"index":0,"message":{"role":"assistant","content":""},"usage":{"prompt_unit_price":@}}}',
  ),
  stream('{"model_schema":@}'),
  stream(
    '{"model_schema":{"model":@,"label":@,"model_type":"llm","features":@,"model_properties":@,"parameter_rules":@,"pricing":@}}',
  ),
  stream(
    '{"model_schema":{"model":"m","label":{"en_US":"m"},"model_type":"llm","fetch_from":"customizable-model","parameter_rules":[@]}}',
  ),
  stream('{"status":@,"headers":@,"result":@}'),
  stream('{"status":200,"headers":{"a":@},"result":"61"}'),
  error('@'),
  error('{"error_type":@,"message":"m","args":{}}'),
  error('{"error_type":"E","message":@,"args":{}}'),
  error('{"error_type":"E","message":"m","args":@}'),
  error('{"error_type":"E","message":"m","args":{"traceback":@}}'),
  back('@'),
  back('{"type":@,"backwards_request_id":"odd","request":{}}'),
  back('{"type":"tool","backwards_request_id":@,"request":{}}'),
  back('{"type":"tool","backwards_request_id":"odd","request":@}'),
  call('tool', '{"tool_type":@,"provider":"p","tool":"t","tool_parameters":@}'),
  call(
    'llm',
    '{"provider":@,"model":"m","mode":"chat","completion_params":@,"prompt_messages":[@],"tools":@,"stop":@}',
  ),
  call('storage', '{"opt":@,"key":"k","value":""}'),
  call('storage', '{"opt":"get","key":@}'),
  call('storage', '{"opt":"set","key":"k","value":@}'),
  call('app', '{"app_id":@,"inputs":@,"query":@}'),
  call('rerank', '{"provider":"p","model":"m","query":@,"docs":@,"score_threshold":@,"top_n":@}'),
  call('node_parameter_extractor', '{"parameters":@,"model":@,"query":"q"}'),
];

/** What a careless `print` leaves in front of a message. */
const clutter: readonly string[] = ['.', '{', '[{"a":', '"', '{"a":"', '\\', "{'a': 1} ", '\u0000'];

export interface OddLine {
  readonly name: string;
  /** One line without its end; `%` stands for the id of an open session. */
  readonly text: string;
}

const fill = (frame: string, value: string): string => frame.replaceAll(HOLE, () => value);

/** Every value in every place. */
export function* oddLines(): Generator<OddLine> {
  for (const [name, value] of oddValues) {
    for (const frame of frames) yield { name: `${name} in ${frame}`, text: fill(frame, value) };
  }
  for (const before of clutter) {
    for (const frame of frames) yield { name: `${before} before ${frame}`, text: before + fill(frame, '{}') };
  }
}

/** Lines of one's own making: any JSON in any place, with clutter around. */
export const anyOddLine: fc.Arbitrary<string> = fc
  .record({
    frame: fc.constantFrom(...frames),
    value: fc.oneof(
      fc.json({ depthSize: 'small' }),
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '%', '"event":', ' ', '0', 'a') }),
      fc.constantFrom(...oddValues.values()),
    ),
    before: fc.constantFrom('', '', ...clutter),
    behind: fc.constantFrom('', '', ' ', '.', '}', '{}', '{"event":"heartbeat"}'),
  })
  .map(({ frame, value, before, behind }) => (before + fill(frame, value) + behind).replaceAll(/[\r\n]/g, ' '));

/** The line of an open session. */
export const lineOf = (text: string, sessionId: string): Buffer =>
  Buffer.from(`${text.replaceAll(SESSION, () => sessionId)}\n`);
