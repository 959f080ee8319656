import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { decodeHex } from './hex.ts';
import { answerStorageRequest } from './storage-answers.ts';
import { type MemoryStorage, memoryStorage } from './testing.ts';

const hidden: unknown[] = [];

function ask({ storage }: MemoryStorage, opt: string, key: string, value = '', permission: unknown = { storage: {} }) {
  return answerStorageRequest(storage, {
    namespace: { tenantId: 't', pluginId: 'a/b' },
    // Nothing else of the declaration is read here.
    declaration: { resource: { memory: 1, permission } } as PluginDeclaration,
    request: { opt, key, value },
    onHiddenError: (error) => hidden.push(error),
  });
}

test("answers have upstream's form", async () => {
  const memory = memoryStorage();
  expect(await ask(memory, 'set', 'k', '68656C6c6f')).toBe('{"data":"ok"}');
  expect(await ask(memory, 'get', 'k')).toBe('{"data":"68656c6c6f"}');
  expect(await ask(memory, 'exist', 'k')).toBe('{"data":true,"exist_num":1}');
  expect(await ask(memory, 'del', 'k')).toBe('{"data":"ok","deleted_num":1}');
  expect(await ask(memory, 'del', 'k')).toBe('{"data":"ok","deleted_num":0}');
  expect(await ask(memory, 'exist', 'k')).toBe('{"data":false,"exist_num":0}');
  expect(await ask(memory, 'set', 'empty')).toBe('{"data":"ok"}');
  expect(await ask(memory, 'get', 'empty')).toBe('{"data":""}');
});

test('a read that fails has one text, and the reason goes to the log', async () => {
  const text = 'load data failed, please check if the key is correct or you have not set it';
  hidden.length = 0;
  await expect(ask(memoryStorage(), 'get', 'missing')).rejects.toThrow(text);
  expect(hidden).toEqual([]);
  await expect(ask(memoryStorage(), 'get', '../x')).rejects.toThrow(text);
  expect(hidden).toEqual([expect.objectContaining({ name: 'StorageKeyError' })]);
});

test.each([
  ['set', '../x', '', 'save data failed: invalid key: path traversal attempt detected'],
  ['set', 'k'.repeat(257), '', 'save data failed: key length must be less than 256 characters'],
  ['del', 'a..b', '', 'delete data failed: invalid key: path traversal attempt detected'],
  ['exist', 'a\\b', '', 'exist data failed: invalid key: path traversal attempt detected'],
  ['set', 'k', '6', 'decode data failed: encoding/hex: odd length hex string'],
  ['set', 'k', '6g', "decode data failed: encoding/hex: invalid byte: U+0067 'g'"],
])('%s of %j fails with its words', async (opt, key, value, text) => {
  await expect(ask(memoryStorage(), opt, key, value)).rejects.toThrow(new Error(text));
});

test('over quota', async () => {
  await expect(ask(memoryStorage(), 'set', 'k', '00'.repeat(11), { storage: { size: 10 } })).rejects.toThrow(
    /^save data failed: allocated size is greater than max storage size/,
  );
});

test('without a permission block nothing is written', async () => {
  await expect(ask(memoryStorage(), 'set', 'k', '00', null)).rejects.toThrow('resource not found');
});

test('hex is decoded as a whole or not at all', () => {
  expect(decodeHex('00fFa0')).toEqual(Buffer.from([0, 255, 160]));
  expect(() => decodeHex('00 1')).toThrow("encoding/hex: invalid byte: U+0020 ' '");
  expect(() => decodeHex('é')).toThrow(/encoding\/hex: invalid byte: U\+00C3/);
});

test.each([256 * 1024, 256 * 1024 + 1, 900 * 1024 + 7])('%i bytes leave as their digits', async (length) => {
  const memory = memoryStorage();
  const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7) & 0xff));
  await ask(memory, 'set', 'k', bytes.toString('hex'));
  const answer = await ask(memory, 'get', 'k');
  const text = typeof answer === 'string' ? answer : answer.map(String).join('');
  expect(text === `{"data":"${bytes.toString('hex')}"}`).toBe(true);
});

test('while the digits of many bytes are made, others have their turns', async () => {
  const memory = memoryStorage();
  await ask(memory, 'set', 'k', '00'.repeat(1 << 20));
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await ask(memory, 'get', 'k');
  over = true;
  expect(turns).toBeGreaterThanOrEqual(4);
});
