import { expect, test } from 'vitest';
import { OpenedParts } from './closing.ts';

test('parts are closed in reverse order, once, also beside one that cannot be', async () => {
  const parts = new OpenedParts();
  const closed: string[] = [];
  expect(parts.closing('a lock', (part) => void closed.push(part))).toBe('a lock');
  parts.closing('a server', async (part) => {
    closed.push(part);
    throw new Error('it hangs');
  });
  parts.closing('a socket', (part) => void closed.push(part));
  await expect(parts.closeAll()).rejects.toThrow('it hangs');
  expect(closed).toEqual(['a socket', 'a server', 'a lock']);
  await parts.closeAll();
  expect(closed).toHaveLength(3);
});
