import { posix } from 'node:path';
import { missingFrom } from './commands.ts';
import type { RepositoryFile } from './files.ts';

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** Ways of citing documents that are not here: by section, by the number of a finding, by a name of old. A new one is a new row. */
const FOREIGN: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /§ ?\d/, what: 'a section by its number' },
  { pattern: /\bsections? \d/i, what: 'a section by its number' },
  { pattern: /\bquirks? [A-Z]?\d/i, what: 'a finding by its number' },
  { pattern: /\bQ-\d+\b/, what: 'a finding by its number' },
  { pattern: /\((?:[^()]{0,80}[,;] )?[DEKST]\d{1,2}(?:[,;] [^()]{0,80})?\)/, what: 'a finding by its number' },
  {
    pattern: /\b(?:runtime-protocols|lifecycle-and-cluster|config-storage-database)\b/,
    what: 'a document that is not in this repository',
  },
  { pattern: /\bpackages\.md \d/, what: 'a section by its number' },
];

/** Published by somebody, for everybody. */
const STANDARD = /\b(?:RFC|PEP|ISO|ECMA)[ -]?\d/;

const HINT = 'cite a heading of docs/wire/ instead, or nothing';

/** Everything that is cited and cannot be read in these files. */
export function checkCitations(files: readonly RepositoryFile[]): readonly Problem[] {
  const paths = pathsOf(files);
  const anchors = new Map(files.filter(isMarkdown).map(({ path, text }) => [path, anchorsOf(text)]));
  const missing = missingFrom(files, paths);
  const problems: Problem[] = [];
  for (const file of files) {
    for (const [index, line] of file.text.split('\n').entries()) {
      const report = (problem: string) => problems.push({ file: file.path, line: index + 1, problem });
      const prose = isMarkdown(file) ? line : commentOf(file.path, line);
      if (prose !== '' && !STANDARD.test(prose)) {
        const foreign = FOREIGN.find(({ pattern }) => pattern.test(prose));
        if (foreign !== undefined) report(`cites ${foreign.what}: ${HINT}`);
      }
      for (const problem of missing(prose)) report(problem);
      // In tests, strings are data and name files that never were.
      for (const { path, anchor } of citations(file, file.path.endsWith('.test.ts') ? prose : line)) {
        if (!paths.has(path)) report(`cites ${path}, which is not there`);
        else if (anchor !== '' && anchors.get(path)?.has(anchor) === false)
          report(`cites ${path}#${anchor}: no such heading`);
      }
    }
  }
  return problems;
}

const isMarkdown = ({ path }: RepositoryFile): boolean => path.endsWith('.md');

/** Files and the folders they are in. */
function pathsOf(files: readonly RepositoryFile[]): ReadonlySet<string> {
  const paths = new Set<string>(['.']);
  for (const { path } of files) {
    for (let at = path; at !== '.'; at = posix.dirname(at)) paths.add(at);
  }
  return paths;
}

interface Citation {
  readonly path: string;
  readonly anchor: string;
}

/** In comments and strings by path from the root; in Markdown links from where the document is. */
function citations({ path: from, text }: RepositoryFile, line: string): Citation[] {
  const inText = /(?<![\w./-])docs\/(?:[\w-]+\/)*[\w-]+\.md(?:#([\w-]*))?/g;
  const link = /\]\((?![a-z][a-z0-9+.-]*:)([^()\s#]*)(?:#([\w-]*))?\)/gi;
  const found: Citation[] = [];
  for (const match of line.matchAll(isMarkdown({ path: from, text }) ? link : inText)) {
    const target = match[0].startsWith('](') ? match[1] : match[0].replace(/#.*/, '');
    const anchor = match.at(-1) ?? '';
    const path = match[0].startsWith('](') ? posix.join(posix.dirname(from), target ?? '') : (target ?? '');
    found.push({ path: target === '' ? from : posix.normalize(path).replace(/\/$/, ''), anchor });
  }
  return found;
}

/** What a line of source says in a comment; the line alone is looked at, so text that only looks like one counts too. */
function commentOf(path: string, line: string): string {
  const start = /\.(?:ts|mjs|js)$/.test(path) ? /^\s*(?:\/\*|\*|\/\/)|\s\/\/\s/ : /(?:^|\s)#\s/;
  const at = start.exec(line);
  return at === null ? '' : line.slice(at.index);
}

/** Anchors of the headings, as GitHub makes them. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  let fenced = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    const heading = fenced ? null : /^#{1,6} +(.*)$/.exec(line);
    if (heading === null) continue;
    const slug = (heading[1] ?? '')
      .trim()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let unique = slug;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${slug}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}
