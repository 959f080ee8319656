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
