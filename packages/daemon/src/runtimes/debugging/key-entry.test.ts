import { expect, test } from 'vitest';
import { decodeKeyEntry, encodeKeyEntry } from './key-entry.ts';

test("an entry has upstream's bytes", () => {
  expect(Buffer.from(encodeKeyEntry('tenant_id', 't')).toString('hex')).toBe('a16974656e616e745f69646174');
  expect(decodeKeyEntry('tenant_id', Buffer.from('a16974656e616e745f69646174', 'hex'))).toBe('t');
  expect(decodeKeyEntry('key', encodeKeyEntry('key', '0b8b5e1c-8f0e-4f9e-9b0e-2f9d6a8c1f00'))).toBe(
    '0b8b5e1c-8f0e-4f9e-9b0e-2f9d6a8c1f00',
  );
});

test.each([
  ['nothing', ''],
  ['text that is no CBOR', Buffer.from('{"key":"x"}').toString('hex')],
  ['another field', 'a1617861 79'.replace(' ', '')],
  ['a number', 'a1636b657901'],
  ['half an entry', 'a1636b657978'],
  ['arrays in arrays', '81'.repeat(1000)],
  ['more than an entry', `a1636b6579790800${'61'.repeat(2048)}`],
])('%s is no entry', (_what, hex) => {
  expect(decodeKeyEntry('key', Buffer.from(hex, 'hex'))).toBeUndefined();
});
