import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderManual } from './manual.ts';

test('docs/cli.md is what the command table says', () => {
  const path = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'cli.md');
  expect(readFileSync(path, 'utf8')).toBe(renderManual());
});
