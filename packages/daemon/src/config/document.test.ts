import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderConfiguration } from './index.ts';
import { settingGroups, settingsTable } from './table.ts';

const lines = renderConfiguration([{ names: ['HOME'], pattern: /^LC_(A|B)$/, reason: 'because' }]).split('\n');

test('every setting has exactly one row, of five cells', () => {
  for (const name of Object.keys(settingsTable)) {
    const rows = lines.filter((line) => line.startsWith(`| \`${name}\``));
    expect(rows, name).toHaveLength(1);
    expect(rows[0]?.replaceAll('\\|', '').split('|'), name).toHaveLength(7);
  }
});

test('no name stands in two groups, and none is both used and without effect', () => {
  const names = settingGroups.flatMap(({ settings }) => Object.keys(settings));
  expect(new Set(names).size).toBe(names.length);
  for (const setting of Object.values(settingsTable)) {
    expect(setting.status === 'no-effect', setting.meaning).toBe(setting.usedBy === '–');
  }
});

test('what plugins see is a table of its own', () => {
  expect(lines).toContain('| `HOME`, `^LC_(A\\|B)$` | because |');
});

test('what the document says about effects is what the code reads', () => {
  const source = join(import.meta.dirname, '..');
  const code = globSync('**/*.ts', { cwd: source })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(source, file), 'utf8'))
    .join('\n');
  const read = new Set(
    [...code.matchAll(/\b(?:settings|values|options)\.([A-Z][A-Z0-9_]+)\b/g)].map((match) => match[1]),
  );
  for (const [name, { status }] of Object.entries(settingsTable)) {
    if (status === 'used') expect(read.has(name), `${name} is documented as used`).toBe(true);
    if (status === 'no-effect') expect(read.has(name), `${name} is documented as without effect`).toBe(false);
  }
});
