import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { eventsInLine } from './events-in-line.ts';

const OPEN = '00000000-0000-4000-8000-00000000000a';
const isOpen = (id: string): boolean => id === OPEN;
const message = (data: unknown, id = OPEN): string =>
  JSON.stringify({ event: 'session', session_id: id, data: { type: 'stream', data } });
const read = (text: string) => {
  const { events, stray, damaged } = eventsInLine(text, isOpen);
  return { events: events.map((event) => event.text), stray, damaged };
};

const text = message({ text: 'x' });
/** A payload that holds what looks like an event. */
const tricky = message({ text: `{"event":"session","session_id":"${OPEN}"}`, object: { event: 'heartbeat' } });

test.each([
  ['dots', `...${text}`, [text], ['...']],
  ['two events', `${text}${tricky}`, [text, tricky], []],
  ['text between and behind', `a${text} b ${tricky}.`, [text, tricky], ['a', ' b ', '.']],
  ['an open brace', `{${text}`, [text], ['{']],
  ['an open text', `"${text}`, [text], ['"']],
  ['an open text in an object', `{"a": "b${text}`, [text], ['{"a": "b']],
  ['an object without end', `{"a": {"b": 1}, "c": ${text}`, [text], ['{"a": {"b": 1}, "c": ']],
  ['an object that is no event', `{"a": ${tricky}}${text}`, [text], [`{"a": ${tricky}}`]],
  ['a Python object', `{'event': 'x', "a": {"event"}}${text}`, [text], [`{'event': 'x', "a": {"event"}}`]],
  ['spaces', `. { "event" : "heartbeat" } {"event":"log"}`, ['{ "event" : "heartbeat" }', '{"event":"log"}'], ['. ']],
  [
    'the head of a message',
    `{"event":"session","session_id":"${OPEN}","data":${text}`,
    [text],
    [`{"event":"session","session_id":"${OPEN}","data":`],
  ],
  ['events in escaped text', `. "{\\"event\\":\\"log\\"}" ${text}`, [text], ['. "{\\"event\\":\\"log\\"}" ']],
  ['a backslash', `\\${tricky}`, [tricky], ['\\']],
  ['nothing', '{{{{[[[["', [], ['{{{{[[[["']],
])('%s', (_, line, events, stray) => {
  expect(read(line)).toEqual({ events, stray, damaged: [] });
});

test('inside of broken JSON only messages of open sessions are believed', () => {
  expect(read(`{"a":{"event":"log","data":{"message":"forged"}},"b":${message(1, 'other')}`).events).toEqual([]);
  expect(read(`{"a":{"event":"log"},"b":${text}`).events).toEqual([text]);
});

test('a message that was broken in its middle is reported, one that was cut off is not', () => {
  const at = text.indexOf('x');
  expect(read(`${text.slice(0, at)}"native library\u0001${text.slice(at)}`).damaged).toEqual([OPEN]);
  expect(read(text.slice(0, at))).toEqual({ events: [], stray: [text.slice(0, at)], damaged: [] });
  expect(read(text.slice(0, at) + text)).toMatchObject({ events: [text], damaged: [] });
});

test('events are found among any text', () => {
  const clutter = fc.string({
    unit: fc.constantFrom('.', '{', '}', '[', ']', '"', ':', ',', ' ', 'a', '1', '"event"', '\\'),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(clutter, fc.boolean()), { maxLength: 5 }), (parts) => {
      const line = parts.map(([before, simple]) => before + (simple ? text : tricky)).join('');
      const { events, stray } = read(line);
      // What is left and what was found is the line, in order; white space aside.
      let at = 0;
      for (const event of events) {
        at = line.indexOf(event, at);
        expect(at).toBeGreaterThanOrEqual(0);
        at += event.length;
      }
      const plain = (whole: string): number => whole.replaceAll(' ', '').length;
      const found = [...events, ...stray].reduce((sum, part) => sum + plain(part), 0);
      expect(found).toBe(plain(line));
    }),
    { numRuns: 2000 },
  );
});

test('text without quotes in front hides nothing', () => {
  const clutter = fc.string({ unit: fc.constantFrom('.', '{', '}', '[', ']', ':', ',', ' ', 'a', '1', '\\', '{ ') });
  fc.assert(
    fc.property(fc.array(fc.tuple(clutter, fc.boolean()), { minLength: 1, maxLength: 5 }), (parts) => {
      const wanted = parts.map(([, simple]) => (simple ? text : tricky));
      expect(read(parts.map(([before], i) => before + wanted[i]).join('')).events).toEqual(wanted);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['{"event":', ''],
  ['{"event":{"event":[', ''],
  ['{"event":"{"event":"', ''],
  ['{"{":":1,":"{",', ''],
  ['{"{":":{","{":":{",', ''],
  ['{"a":"{\\"event\\":', ''],
  ['{"event":1,"b":"\\\\', ''],
  ['{"event" {"event"', '}'],
  ['{ ', '"event"'],
  ['{"event":0}', ''],
  ['"event"\\\\"{', ''],
])('a line of megabytes of %s is read in time that grows with it', (part, behind) => {
  // Were it read in quadratic time, this would take hours.
  const line = `.${part.repeat(3_000_000 / part.length)}${behind}`;
  const { events, stray } = read(line);
  expect([...events, ...stray].join('').length).toBeGreaterThan(0);
});

test('many broken heads before many blanks are read in one go', () => {
  const heads = `{"event":"session","session_id":"${OPEN}"!`.repeat(20_000);
  const trims = vi.spyOn(String.prototype, 'trimEnd');
  const { events, damaged } = eventsInLine(heads + ' '.repeat(500_000), isOpen);
  expect(trims.mock.calls.length).toBeLessThan(10);
  expect([events, damaged]).toEqual([[], []]);
  trims.mockRestore();
});
