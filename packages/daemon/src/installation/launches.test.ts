import { expect, test } from 'vitest';
import type { LocalPlugins } from '../supervision/contract.ts';
import { Launches } from './launches.ts';

/** A supervisor whose launches end when the test says so. */
function supervisor() {
  const launches: {
    identifier: string;
    signal: AbortSignal;
    step: (text: string) => void;
    done: () => void;
    fail: (e: Error) => void;
  }[] = [];
  const plugins: LocalPlugins = {
    ensure: (identifier, { signal, onProgress }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => reject(signal.reason));
      launches.push({ identifier, signal, step: onProgress ?? (() => undefined), done: resolve, fail: reject });
      return promise;
    },
    retire: () => undefined,
  };
  return { launches, shared: new Launches(plugins) };
}

test('a second job joins the launch, sees where it is and what follows', async () => {
  const { launches, shared } = supervisor();
  const [a, b] = [new AbortController(), new AbortController()];
  const seen: string[][] = [[], []];
  const first = shared.ensure('x', a.signal, (step) => seen[0]?.push(step));
  launches[0]?.step('installing dependencies');
  const second = shared.ensure('x', b.signal, (step) => seen[1]?.push(step));
  launches[0]?.step('starting');
  launches[0]?.done();
  await Promise.all([first, second]);
  expect(launches.length).toBe(1);
  expect(seen).toEqual([
    ['installing dependencies', 'starting'],
    ['installing dependencies', 'starting'],
  ]);
});

test('a launch goes on while anyone waits for it and is given up with the last one', async () => {
  const { launches, shared } = supervisor();
  const [a, b] = [new AbortController(), new AbortController()];
  const first = shared.ensure('x', a.signal, () => undefined);
  const second = shared.ensure('x', b.signal, () => undefined);
  a.abort(new Error('deleted'));
  await expect(first).rejects.toThrow('deleted');
  expect(launches[0]?.signal.aborted).toBe(false);
  b.abort(new Error('deleted too'));
  await expect(second).rejects.toThrow('deleted too');
  expect(launches[0]?.signal.aborted).toBe(true);
});

test('a failure reaches everyone, and the next job starts afresh', async () => {
  const { launches, shared } = supervisor();
  const signal = new AbortController().signal;
  const both = [shared.ensure('x', signal, () => undefined), shared.ensure('x', signal, () => undefined)];
  launches[0]?.fail(new Error('no wheel'));
  for (const each of both) await expect(each).rejects.toThrow('no wheel');
  const again = shared.ensure('x', signal, () => undefined);
  expect(launches.length).toBe(2);
  launches[1]?.done();
  await again;
});
