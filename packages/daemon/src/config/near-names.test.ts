import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName } from './near-names.ts';

const NAME = 'PLUGIN_IDLE_STOP_SECONDS';
const OTHERS = ['SERVER_PORT', 'REDIS_HOST', 'DIFY_INNER_API_URL', NAME, 'PLUGIN_PREFORK'];

const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789');
const slipWithin = (min: number, max: number) =>
  fc.record({ kind: fc.constantFrom('add', 'drop', 'replace', 'swap'), at: fc.integer({ min, max }), letter });

function slipped(name: string, { kind, at, letter }: { kind: string; at: number; letter: string }): string {
  const [before, one, two, after] = [name.slice(0, at), name.charAt(at), name.charAt(at + 1), name.slice(at + 2)];
  switch (kind) {
    case 'add':
      return before + letter + one + two + after;
    case 'drop':
      return before + two + after;
    case 'replace':
      return before + letter + two + after;
    default:
      return before + two + one + after;
  }
}

// Apart from each other: a letter between two that were swapped would be a third.
test('two slips of any kind are seen through', () => {
  fc.assert(
    fc.property(slipWithin(0, 9), slipWithin(14, NAME.length - 3), (first, second) => {
      expect(nearestName(slipped(slipped(NAME, first), second), OTHERS)).toBe(NAME);
    }),
    { numRuns: 1000 },
  );
});

test("names of others are nobody's, however they look", () => {
  for (const name of ['PLUGIN_SLEEP_STOP_SECONDS', 'KUBERNETES_SERVICE_PORT', 'npm_config_user_agent', 'HOME', ''])
    expect(nearestName(name, OTHERS)).toBeUndefined();
  // The same letters in another order.
  expect(nearestName('SERVER_TROP', ['SERVER_PORT'])).toBeUndefined();
});
