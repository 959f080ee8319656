import { expect, test } from 'vitest';
import { KeyedLock } from './index.ts';

test('work for one key runs one after another, for others beside it, also after a failure', async () => {
  const lock = new KeyedLock();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const log: string[] = [];
  const first = lock.run('a', async () => {
    await gate;
    log.push('first');
    throw new Error('no');
  });
  const second = lock.run('a', async () => log.push('second'));
  await lock.run('b', async () => log.push('other'));
  open();
  await expect(first).rejects.toThrow('no');
  await second;
  expect(log).toEqual(['other', 'first', 'second']);
});
