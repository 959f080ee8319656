/** Rows for people: a line of titles, then aligned columns. Programs take `--json`. */
import { stripVTControlCharacters } from 'node:util';
import type { Colors } from './log-line.ts';

const GAP = '  ';

export function table(titles: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  const widths = titles.map((title, column) =>
    Math.max(...[titles, ...rows].map((row) => width(row[column] ?? title))),
  );
  const line = (cells: readonly string[], paint: (text: string) => string): string =>
    paint(
      cells
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
        .join(GAP)
        .trimEnd(),
    );
  return [line(titles, colors.bold), ...rows.map((row) => line(row, (text) => text))].join('\n');
}

/** Names and their values, one pair a line. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  const widest = Math.max(0, ...rows.map(([name]) => width(name)));
  return rows.map(([name, value]) => `${name}${' '.repeat(widest - width(name))}${GAP}${value}`).join('\n');
}

const width = (text: string): number => [...stripVTControlCharacters(text)].length;

/** A text of somebody else's in one line, without what a terminal would obey. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
