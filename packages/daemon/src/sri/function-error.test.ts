import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionErrors } from './function-error.ts';

test('every error of a call is told to operators, with its status', () => {
  const page = readFileSync(new URL('../../../../docs/sri.md', import.meta.url), 'utf8');
  for (const [type, { status }] of Object.entries(functionErrors))
    expect(page).toContain(`| \`${type}\` | ${status} |`);
});
