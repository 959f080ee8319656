/** Reading the page of one project in a simple index (PEP 503 and PEP 691), and choosing the wheel for this machine. */
import { isObject } from '@plugin-daemon/values';
import { jsonProblemText, parseForeign } from '../../json/index.ts';

export interface IndexFile {
  readonly name: string;
  /** Absolute. */
  readonly url: string;
  /** Lower-case hex; undefined when the index gives none. */
  readonly sha256: string | undefined;
}

export const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

/** Files that are not withdrawn. @param base the address the page came from: links are relative to it */
export function parseProjectPage(text: string, contentType: string, base: string): IndexFile[] {
  return contentType.includes('json') ? parseJson(text, base) : parseHtml(text, base);
}

function parseJson(text: string, base: string): IndexFile[] {
  const parsed = parseForeign(text);
  if (!parsed.ok) throw new Error(`what ${base} sent is refused, because ${jsonProblemText[parsed.problem]}`);
  const files = isObject(parsed.value) ? parsed.value['files'] : undefined;
  return (Array.isArray(files) ? files : []).flatMap((file: unknown) => {
    if (!isObject(file)) return [];
    const { filename, url, hashes, yanked } = file;
    if (typeof filename !== 'string' || typeof url !== 'string' || (yanked !== undefined && yanked !== false))
      return [];
    // One link that leads nowhere does not take away the others.
    const link = URL.parse(url, base);
    if (link === null) return [];
    const sha256 = isObject(hashes) ? hashes['sha256'] : undefined;
    return [
      {
        name: filename,
        url: link.href,
        sha256: typeof sha256 === 'string' ? sha256.toLowerCase() : undefined,
      },
    ];
  });
}

function parseHtml(text: string, base: string): IndexFile[] {
  const files: IndexFile[] = [];
  for (const match of text.matchAll(/<a\s([^<>]*)>([^<]*)<\/a>/gi)) {
    const attributes = match[1] ?? '';
    const href = /href\s*=\s*["']([^"']*)["']/i.exec(attributes)?.[1];
    if (href === undefined || /data-yanked/i.test(attributes)) continue;
    const url = URL.parse(href.replaceAll('&amp;', '&'), base);
    if (url === null) continue;
    const sha256 = /sha256=([0-9a-f]{64})/i.exec(url.hash)?.[1]?.toLowerCase();
    url.hash = '';
    files.push({ name: (match[2] ?? '').trim(), url: url.href, sha256 });
  }
  return files;
}

export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: string;
}

/** The newest uv for this machine among wheels: statically linked builds on Linux, because they run on every libc. */
export function chooseWheel(
  files: readonly IndexFile[],
  platform: Platform = { os: process.platform, arch: process.arch },
) {
  const fits = platformTag(platform);
  const usable = files.flatMap((file) => {
    const match = /^uv-(\d+(?:\.\d+)*)-py3-none-(.+)\.whl$/.exec(file.name);
    return match !== null && (match[2] ?? '').split('.').some((tag) => fits.test(tag))
      ? [{ ...file, version: match[1] ?? '' }]
      : [];
  });
  usable.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  return usable[0];
}

function platformTag({ os, arch }: Platform): RegExp {
  const machine = arch === 'arm64' ? '(?:aarch64|arm64)' : arch === 'x64' ? '(?:x86_64|amd64)' : arch;
  if (os === 'win32') return new RegExp(`^win_${machine}$`);
  if (os === 'darwin') return new RegExp(`^macosx_\\d+_\\d+_${machine}$`);
  return new RegExp(`^musllinux_1_\\d+_${machine}$`);
}
