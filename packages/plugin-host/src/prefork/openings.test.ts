/** In which order parents are opened, and what they let pass. */
import { expect, test } from 'vitest';
import type { OpenOptions } from '../launcher/index.ts';
import { Openings } from './openings.ts';

const parent = { close: async () => undefined };

/** What was done with imports, in order. */
function recorded(processors = 2, longestHoldMs?: number) {
  const done: string[] = [];
  const openings = new Openings<typeof parent>({ processors, ...(longestHoldMs !== undefined && { longestHoldMs }) });
  const add = (name: string) => {
    const imported = Promise.withResolvers<typeof parent>();
    const open = ({ signal, onSpawned }: OpenOptions) => {
      done.push(`${name} begins`);
      onSpawned?.((what) => done.push(`${name} ${what}`));
      signal?.addEventListener('abort', () => imported.reject(new Error(`${name} was given up`)));
      return imported.promise;
    };
    return { ...imported, opening: openings.add(open) };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { done, openings, add, settled };
}

test('one import at a time, and the one that somebody waits for before the others', async () => {
  const { done, add, settled } = recorded();
  const [first, , third] = [add('first'), add('second'), add('third')];
  expect(first.opening.isRunning).toBe(true);
  third.opening.want();
  expect(done).toEqual(['first begins']);
  first.resolve(parent);
  await settled();
  expect(done).toEqual(['first begins', 'third begins']);
  third.reject(new Error('no such module'));
  await expect(third.opening.ready).rejects.toThrow('no such module');
  await settled();
  expect(done).toEqual(['first begins', 'third begins', 'second begins']);
});

test('an import stands still while a call has the processor, unless another call waits for it', async () => {
  const { done, openings, add, settled } = recorded(2);
  const { opening } = add('it');
  const over = openings.giveWay();
  expect(opening.isRunning).toBe(false);
  const leave = opening.want();
  expect(opening.isRunning).toBe(true);
  leave();
  leave();
  over();
  over();
  expect(done).toEqual(['it begins', 'it SIGSTOP', 'it SIGCONT', 'it SIGSTOP', 'it SIGCONT']);
  // None begins either.
  const again = openings.giveWay();
  const next = add('next');
  next.opening.want();
  await settled();
  expect(done).not.toContain('next begins');
  again();
});

test('where there are more processors than calls need, nothing stands still', () => {
  const { openings, add } = recorded(4);
  const { opening } = add('it');
  openings.giveWay();
  openings.giveWay();
  expect(opening.isRunning).toBe(true);
  openings.giveWay();
  expect(opening.isRunning).toBe(false);
});

test('calls without an end do not keep an import back for ever', async () => {
  const { openings, add } = recorded(1, 5);
  const { opening } = add('it');
  openings.giveWay();
  expect(opening.isRunning).toBe(false);
  await expect.poll(() => opening.isRunning).toBe(true);
  openings.giveWay();
  expect(opening.isRunning).toBe(true);
});

test('what is closed gives up what it opens and opens nothing more', async () => {
  const { done, openings, add } = recorded();
  const [first, second] = [add('first'), add('second')];
  await openings.close();
  await expect(first.opening.ready).rejects.toThrow('first was given up');
  await expect(second.opening.ready).rejects.toThrow('shutting down');
  await expect(add('third').opening.ready).rejects.toThrow('shutting down');
  expect(done).toEqual(['first begins']);
});
