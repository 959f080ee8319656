/** Reads what `golden-diff.mjs` prints, finds what it only counts, and sorts it by the part of the daemon that answers. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Difference {
  readonly route: string;
  readonly case: string;
  /** The first difference, as the comparison words it. */
  readonly text: string;
}

export interface Counts {
  readonly same: number;
  readonly allowed: number;
  readonly different: number;
  readonly missing: number;
  readonly notRecorded: number;
}

export interface Comparison {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
  /** Entries of the list of deliberate differences that do not differ any more. */
  readonly stale: readonly string[];
}

export function readComparison(output: string): Comparison {
  const differences: Difference[] = [];
  const stale: string[] = [];
  const lines = output.split('\n');
  for (const [index, text] of lines.entries()) {
    if (text.startsWith('allowed to differ, but does not: ')) stale.push(text.slice(33));
    const name = splitName(text);
    const detail = lines[index + 1];
    if (name && detail?.startsWith('    ')) differences.push({ ...name, text: detail.trim() });
  }
  const last = /(\d+) same, (\d+) allowed, (\d+) different, (\d+) missing(?:, (\d+) not recorded)?/.exec(output);
  if (!last) throw new Error(`the comparison did not come to its end:\n${output.slice(-2000)}`);
  const [, same, allowed, different, missing, notRecorded] = last;
  const counts = {
    same: Number(same),
    allowed: Number(allowed),
    different: Number(different),
    missing: Number(missing),
    notRecorded: Number(notRecorded ?? 0),
  };
  return { counts, differences, stale };
}

function splitName(text: string): { route: string; case: string } | undefined {
  const at = text.indexOf(' :: ');
  if (at <= 0 || text.startsWith(' ')) return undefined;
  return { route: text.slice(0, at), case: text.slice(at + 4) };
}

interface Recording {
  readonly route: string;
  readonly cases?: readonly { readonly case: string; readonly response?: unknown; readonly unstable?: unknown }[];
}

/** Cases that upstream's recording has and ours has not, other than those that need packages or settings of their own. */
export function missingCases(expectedDirectory: string, actualDirectory: string): Difference[] {
  const missing: Difference[] = [];
  for (const file of readdirSync(expectedDirectory).filter((name) => name.endsWith('.json'))) {
    const expected = readRecording(join(expectedDirectory, file));
    const actual = readRecording(join(actualDirectory, file));
    const known = new Set(actual.cases?.map((c) => c.case));
    for (const c of expected.cases ?? [])
      if (
        !known.has(c.case) &&
        !c.unstable &&
        !/^(real |third party: )/.test(c.case) &&
        expected.route !== '/metrics' &&
        !c.case.endsWith(': just after')
      )
        missing.push({ route: expected.route, case: c.case, text: 'not recorded: a step before it failed' });
  }
  return missing;
}

function readRecording(file: string): Recording {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { route: '', cases: [] };
}

/** First match wins. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/upload\/bundle/, 'bundles'],
  [/upload\/package/, 'package intake'],
  [/\/endpoint\/|^\/e\//, 'endpoints'],
  [/inner.?api/i, 'backwards invocation'],
  [/debugging/, 'debugging runtime'],
  [/dispatch|v2\/invoke/, 'invocation'],
  [/asset/, 'assets'],
  [/install|uninstall|upgrade/, 'installation'],
  [/management/, 'management lists'],
];

export function partOf(route: string): string {
  return PARTS.find(([pattern]) => pattern.test(route))?.[1] ?? 'http';
}

export function byPart(differences: readonly Difference[]): Map<string, Difference[]> {
  const parts = new Map<string, Difference[]>();
  for (const difference of differences) {
    const part = partOf(difference.route);
    const list = parts.get(part);
    if (list) list.push(difference);
    else parts.set(part, [difference]);
  }
  return new Map([...parts].sort(([a], [b]) => a.localeCompare(b)));
}

/** A Markdown page that one can work through: a heading for each part, a line for each case with its first difference. */
export function report(
  title: string,
  counts: Counts,
  differences: readonly Difference[],
  stale: readonly string[] = [],
): string {
  const lines = [
    `# ${title}`,
    '',
    `${counts.same} same, ${counts.allowed} deliberate, ${counts.different} different, ${counts.missing} missing, ${counts.notRecorded} not recorded (they need packages or settings that were not given)`,
  ];
  for (const entry of stale) lines.push('', `Listed as deliberate, but equal now: \`${entry}\``);
  for (const [part, list] of byPart(differences)) {
    lines.push('', `## ${part} (${list.length})`);
    let route = '';
    for (const difference of list.toSorted((a, b) => a.route.localeCompare(b.route))) {
      if (difference.route !== route) {
        lines.push('', `### ${difference.route}`);
        route = difference.route;
      }
      lines.push(`- **${difference.case}** ${difference.text}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
