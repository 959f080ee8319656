import type { Figures } from './simulate.ts';

/** A fingerprint in memory: the text, its place in the list that was told, and in the set that is made of it. */
const KNOWN_BYTES = 100;

interface Column {
  readonly title: string;
  readonly cell: (figures: Figures, instanceMb: number) => string;
}

const whole = (value: number): string => Math.round(value).toString();
const short = (value: number): string => (value < 10 ? value.toFixed(1) : whole(value));
const percent = (part: number, all: number): string => (all === 0 ? '–' : `${whole((100 * part) / all)} %`);
const perMinute = (count: number, { seconds }: Figures): string => short((count * 60) / seconds);

export const columns: readonly Column[] = [
  { title: 'nodes', cell: ({ nodes }) => whole(nodes) },
  { title: 'phase', cell: ({ phase }) => phase },
  { title: 'calls', cell: ({ counts }) => whole(counts.calls) },
  { title: 'refused', cell: ({ counts }) => whole(counts.refused) },
  { title: 'lost', cell: ({ counts }) => whole(counts.lost) },
  { title: 'forwarded', cell: ({ counts }) => percent(counts.forwarded, counts.placed) },
  { title: 'failed hops', cell: ({ counts }) => whole(counts.failedHops) },
  { title: 'starts/min', cell: (figures) => perMinute(figures.counts.starts, figures) },
  { title: 'moves/min', cell: (figures) => perMinute(figures.counts.moves, figures) },
  { title: 'spreads/min', cell: (figures) => perMinute(figures.counts.spreads, figures) },
  { title: 'load least–most', cell: ({ load }) => `${load.least.toFixed(2)}–${load.most.toFixed(2)}` },
  { title: 'all know after', cell: ({ agreeMs }) => (agreeMs === 0 ? '–' : `${(agreeMs / 1000).toFixed(1)} s`) },
  { title: 'Redis msg/s', cell: ({ messagesPerSecond }) => short(messagesPerSecond) },
  { title: 'Redis kB/s', cell: ({ bytesPerSecond }) => short(bytesPerSecond / 1000) },
  {
    title: 'MB/node mean–most',
    cell: ({ processes: { mean, most } }, mb) => `${whole(mean * mb)}–${whole(most * mb)}`,
  },
  { title: 'MB known of others', cell: ({ known }) => ((known * KNOWN_BYTES) / 1e6).toFixed(2) },
];

/** As Markdown, with columns that stand below each other. */
export function table(rows: readonly Figures[], instanceMb: number): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => cell(row, instanceMb))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  const [heading = '', ...lines] = cells.map(
    (line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [heading, rule, ...lines].join('\n');
}
