import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';
import { Refusal } from './refusal.ts';
import { parseMessage, Registration } from './registration.ts';
import { registration } from './test-plugin.ts';

test('however bytes are cut, the lines are the same and nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.uint8Array({ maxLength: 30 }).map((bytes) => bytes.map((b) => (b === 10 ? 0 : b))),
        { maxLength: 10 },
      ),
      fc.array(fc.nat(40), { maxLength: 40 }),
      (lines, cuts) => {
        const whole = Buffer.concat(lines.flatMap((text) => [Buffer.from(text), Buffer.from('\n')]));
        const splitter = new LineSplitter();
        const got: Buffer[] = [];
        let at = 0;
        for (const size of [...cuts, whole.length]) {
          splitter.push(whole.subarray(at, at + size));
          at += size;
          for (let next = splitter.next(); next !== undefined; next = splitter.next()) got.push(Buffer.from(next));
        }
        expect(got.map((text) => text.toString('latin1'))).toEqual(
          lines.map((text) => Buffer.from(text).toString('latin1')),
        );
        expect(splitter.rest()).toHaveLength(0);
      },
    ),
  );
});

const types = [
  'handshake',
  'manifest_declaration',
  'tool_declaration',
  'model_declaration',
  'endpoint_declaration',
  'agent_strategy_declaration',
  'datasource_declaration',
  'trigger_declaration',
  'asset_chunk',
  'end',
  '__proto__',
  'toString',
];

test('any line is a message, nothing, or refused: never another failure', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
        fc
          .record({ type: fc.anything(), data: fc.anything(), event: fc.anything() })
          .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      ),
      (bytes) => {
        try {
          const message = parseMessage(bytes);
          expect(typeof message === 'string' || typeof message.type === 'string').toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      },
    ),
  );
});

test('any sequence of messages registers, goes on, or is refused with one readable text', () => {
  const message = fc.tuple(
    fc.constantFrom(...types),
    fc.oneof(fc.jsonValue(), fc.constantFrom(...registration().map(([, data]) => data))),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      const collected = new Registration('t');
      try {
        for (const [type, data] of messages) collected.accept({ type, data });
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        expect((error as Refusal).message.length).toBeGreaterThan(0);
      }
    }),
  );
});

test('the identifier depends on tenant, declaration and icons, not on the order of messages', () => {
  const register = (tenant: string, messages = registration()) => {
    const collected = new Registration(tenant);
    for (const [type, data] of messages) {
      const plugin = collected.accept({ type, data });
      if (plugin !== undefined) return plugin.identifier;
    }
    throw new Error('not complete');
  };
  const [manifestMessage, tools, icon, end] = registration();
  if (!manifestMessage || !tools || !icon || !end) throw new Error('the registration has four messages');
  const otherIcon = ['asset_chunk', { filename: 'icon.svg', data: 'AAAA' }] as const;
  expect(register('t')).toBe(register('t', [icon, tools, manifestMessage, end]));
  expect(register('t')).not.toBe(register('u'));
  expect(register('t')).not.toBe(register('t', [manifestMessage, tools, otherIcon, end]));
  expect(register('t')).not.toBe(register('t', registration({ manifest: { version: '0.0.2' } })));
});
