/** `plugin validate --fix`: corrects what has exactly one sensible correction; everything else stays the author's decision. */

import { join } from 'node:path';
import { throwIfAborted } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { readNamedFile } from '../files/read.ts';
import { DEFAULT_STORAGE } from '../init/rules.ts';
import { openManifest, openUp } from '../source/manifest-edit.ts';
import type { Finding } from './finding.ts';

const SDK = 'dify_plugin>=0.9.0,<0.11.0';

/** Changes the lines of a file at the place of a finding; false when this case has no obvious correction. */
type LineFix = (lines: string[], at: number, column: number) => boolean;

/** Column (from 0) of the key a continued line belongs to. */
function keyColumn(lines: readonly string[], before: number): number | undefined {
  for (let index = before - 1; index >= 0; index--) {
    const match = /^(\s*(?:- +)*)[\w"'.-]+\s*:(?:\s|$)/.exec(lines[index] ?? '');
    if (match !== null) return match[1]?.length ?? 0;
  }
  return undefined;
}

const BOOLEANS: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  y: 'true',
  no: 'false',
  off: 'false',
  n: 'false',
};

const LINE_FIXES: Readonly<Record<string, LineFix>> = {
  // Continued lines are folded: their indentation is no part of the value.
  'yaml/indentation': (lines, at) => {
    const column = keyColumn(lines, at);
    if (column === undefined) return false;
    lines[at] = `${' '.repeat(column + 2)}${lines[at]?.trimStart()}`;
    return true;
  },
  'dify/tag': (lines, at) => {
    if (!/^\s*- *["']?(?:agent|trigger)["']?\s*(?:#.*)?$/.test(lines[at] ?? '')) return false;
    // The last item of a list would leave an empty key behind.
    const dash = /^\s*-/;
    if (!dash.test(lines[at - 1] ?? '') && !dash.test(lines[at + 1] ?? '')) return false;
    lines.splice(at, 1);
    return true;
  },
  'parameter/default': (lines, at, place) => {
    const line = lines[at] ?? '';
    // Places of quoted scalars are those of their text.
    const start = /["']/.test(line[place - 1] ?? '') ? place - 1 : place;
    const match = /^(["']?)([A-Za-z]+)\1(?=\s|$)/.exec(line.slice(start));
    const value = BOOLEANS[match?.[2]?.toLowerCase() ?? ''];
    if (match === null || value === undefined) return false;
    lines[at] = `${line.slice(0, start)}${value}${line.slice(start + match[0].length)}`;
    return true;
  },
  'dependencies/sdk-version': (lines, at) => {
    const line = lines[at] ?? '';
    // Pins and upper limits below 0.10 are decisions; lower limits and bare names are raised.
    const raised = line.replace(
      /(dify[-_.]plugin(?:\[[^\]]{0,99}\])?)\s{0,9}(?:>=?\s{0,9}[\d.]{1,99})?(?=\s{0,9}(?:,\s{0,9}<\s{0,9}(?:[1-9]|0\.[1-9]\d)|["'#;]|$))/i,
      '$1>=0.9.0',
    );
    if (raised === line) return false;
    lines[at] = raised;
    return true;
  },
  'dependencies/sdk': (lines) => {
    if (lines.at(-1) === '') lines.pop();
    lines.push(SDK, '');
    return true;
  },
  'dependencies/missing': (lines) => {
    lines.splice(0, lines.length, SDK, '');
    return true;
  },
};

/** Rules about a boolean default share their name with others that need a decision. */
function lineFix(finding: Finding): LineFix | undefined {
  if (finding.rule === 'parameter/default' && !finding.message.endsWith('is not a boolean')) return undefined;
  if (finding.rule === 'dependencies/sdk' && finding.file !== 'requirements.txt') return undefined;
  return LINE_FIXES[finding.rule];
}

async function grant(folder: string, paths: readonly (readonly string[])[]): Promise<void> {
  const manifest = await openManifest(folder);
  const { document } = manifest;
  const base = ['resource', 'permission'];
  if (document.getIn(base) === null || document.getIn(base) === undefined)
    document.setIn(base, document.createNode({}));
  openUp(document, base);
  for (const path of paths) {
    const [area = ''] = path;
    if (document.getIn([...base, area]) === undefined) document.setIn([...base, area], document.createNode({}));
    openUp(document, [...base, area]);
    document.setIn([...base, area, 'enabled'], true);
    if (path.length > 1) document.setIn([...base, ...path], true);
    if (area === 'storage' && document.getIn([...base, 'storage', 'size']) === undefined)
      document.setIn([...base, 'storage', 'size'], DEFAULT_STORAGE);
  }
  await manifest.save();
}

/** Writes the corrections of a plugin folder and answers with the findings they were for. */
export async function fixFindings(
  folder: string,
  findings: readonly Finding[],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const fixed: Finding[] = [];
  // From the end of each file, so that places further up stay where they are.
  for (const [file, own] of Map.groupBy(findings.toReversed(), (finding) => finding.file)) {
    const path = join(folder, file);
    const candidates = own.flatMap((finding) => {
      const apply = lineFix(finding);
      return apply === undefined ? [] : [{ finding, apply }];
    });
    if (candidates.length === 0) continue;
    const missing = candidates.some(({ finding }) => finding.rule === 'dependencies/missing');
    const text = missing ? '' : (await readNamedFile(path)).toString('utf8');
    const end = text.includes('\r\n') ? '\r\n' : '\n';
    const lines = text.split(end);
    const done = candidates.filter(({ finding, apply }) =>
      apply(lines, (finding.line ?? 1) - 1, (finding.column ?? 1) - 1),
    );
    if (done.length === 0) continue;
    throwIfAborted(signal);
    await writeFileAtomic(path, lines.join(end));
    fixed.push(...done.map(({ finding }) => finding));
  }
  const undeclared = findings.filter((finding) => finding.permission !== undefined);
  if (undeclared.length > 0) {
    throwIfAborted(signal);
    await grant(
      folder,
      undeclared.map((finding) => finding.permission ?? []),
    );
    fixed.push(...undeclared);
  }
  return fixed;
}
