/** What a call leaves behind is gone with the next collection of young objects: nothing of it moves into the old generation. */
import { benchPackage } from '@plugin-daemon/bench';
import { expect, test } from 'vitest';
import { ONE, TestDaemon } from './harness.ts';

const CALLS = 2400;
const AT_ONCE = 8;
/** Of the ids in tables a little is kept; of a whole request, its answer and its session it would be eight thousand and more. */
const BYTES_OF_A_CALL = 2000;

async function calls(daemon: TestDaemon, plugin: string): Promise<void> {
  const data = { provider: plugin, tool: 'echo', tool_parameters: { text: 'x' }, credentials: {} };
  const one = async () => {
    for (let n = 0; n < CALLS / AT_ONCE; n++)
      for await (const message of daemon.client(ONE).invoke('tool/invoke', `bench/${plugin}`, data))
        expect(message).toMatchObject({ message: { text: 'x' } });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

const oldBytes = (daemon: TestDaemon) => daemon.metric('nodejs_heap_space_size_used_bytes', { space: 'old' });

test('calls leave nothing in the old generation', async () => {
  // So little room that young objects are collected after a few calls, and old ones are not meanwhile.
  await using daemon = await TestDaemon.start({ settings: { NODE_OPTIONS: '--max-semi-space-size=1' } });
  await daemon.install(benchPackage({ category: 'tool', name: 'young' }));
  // What is made once: compiled code and what the engine learns about it.
  await calls(daemon, 'young');
  const growths: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = await oldBytes(daemon);
    await calls(daemon, 'young');
    growths.push((await oldBytes(daemon)) - before);
  }
  // A full collection within a round makes it smaller, so the largest counts.
  expect(Math.max(...growths)).toBeLessThan(CALLS * BYTES_OF_A_CALL);
}, 300_000);
