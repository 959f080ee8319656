/** Our figures beside upstream's, as a table, with the targets as ratios. */
import { readFileSync } from 'node:fs';
import pc from 'picocolors';
import { type Spread, shortNumber, showSpread } from './load/index.ts';
import type { Figure } from './measurements/index.ts';

export interface BaselineFigure {
  readonly title: string;
  readonly unit: string;
  /** Which way is better; less if absent. */
  readonly better?: 'more';
  /** Median, smallest, largest. */
  readonly upstream?: readonly [number, number, number];
  /** A ratio to upstream (`x`), or a value of our own (`to`). */
  readonly target?: { readonly x: number } | { readonly to: number };
}

export type Baseline = Readonly<Record<string, BaselineFigure>>;

export function readBaseline(): Baseline {
  const file = new URL('../baseline-upstream.json', import.meta.url);
  const { figures }: { figures: Baseline } = JSON.parse(readFileSync(file, 'utf8'));
  return figures;
}

/** The baseline with upstream's figures replaced by those of another run of this program. */
export function withUpstream(baseline: Baseline, figures: Readonly<Record<string, Spread>>): Baseline {
  return Object.fromEntries(
    Object.entries(baseline).map(([id, row]) => {
      const measured = figures[id];
      return [id, measured ? { ...row, upstream: [measured.median, measured.min, measured.max] as const } : row];
    }),
  );
}

export interface Row {
  readonly title: string;
  readonly ours: string;
  readonly upstream: string;
  readonly ratio: string;
  readonly target: string;
  readonly reached: boolean | undefined;
}

export function rowOf(figure: Figure, row: BaselineFigure): Row {
  const unit = row.unit ? ` ${row.unit}` : '';
  const sign = row.better === 'more' ? '≥' : '≤';
  const ratio = row.upstream ? figure.value.median / row.upstream[0] : undefined;
  const [wanted, limit] = !row.target
    ? []
    : 'x' in row.target
      ? [ratio, row.target.x]
      : [figure.value.median, row.target.to];
  const reached =
    wanted === undefined || limit === undefined ? undefined : row.better === 'more' ? wanted >= limit : wanted <= limit;
  const upstream = row.upstream && { median: row.upstream[0], min: row.upstream[1], max: row.upstream[2] };
  return {
    title: row.title,
    ours: showSpread(figure.value) + unit,
    upstream: upstream ? showSpread(upstream) + unit : '–',
    ratio: ratio === undefined ? '' : `${shortNumber(ratio)}×`,
    target: limit === undefined ? '' : `${sign} ${row.target && 'x' in row.target ? `${limit}×` : `${limit}${unit}`}`,
    reached,
  };
}

export function heading(): string {
  return pc.dim(line(['', 'ours', 'upstream', 'ratio', 'target', '']));
}

export function tableLine(row: Row): string {
  const mark = row.reached === undefined ? '' : row.reached ? pc.green('✓') : pc.red('✗');
  return line([row.title, row.ours, row.upstream, row.ratio, row.target, mark]);
}

const WIDTHS = [30, 34, 34, 9, 12];

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index === 0 ? `  ${cell.padEnd(WIDTHS[0] ?? 0)}` : cell.padEnd(WIDTHS[index] ?? 0)))
    .join(' ')
    .trimEnd();
}
