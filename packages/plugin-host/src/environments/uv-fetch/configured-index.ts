import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

type Source = Readonly<Record<string, string | undefined>>;

export interface IndexSettings {
  /** The simple index, with a trailing slash; undefined when nothing names one. */
  readonly url: string | undefined;
  /** PEM file of certificate authorities. */
  readonly caFile: string | undefined;
  readonly proxy: string | undefined;
}

/**
 * Which package index this machine installs from, as configured for uv or pip: environment first, then uv.toml, then
 * pip.conf (user before system). Only reads; a broken file counts as absent.
 */
export async function configuredIndex(environment: Source): Promise<IndexSettings> {
  const pip = await pipConfiguration(environment);
  const url =
    environment.UV_DEFAULT_INDEX ||
    environment.UV_INDEX_URL ||
    environment.PIP_INDEX_URL ||
    (await uvTomlIndex(environment)) ||
    pip['index-url'];
  return {
    url: url ? `${withoutName(url).replace(/\/+$/, '')}/` : undefined,
    caFile:
      environment.SSL_CERT_FILE || environment.REQUESTS_CA_BUNDLE || environment.PIP_CERT || pip.cert || undefined,
    proxy: environment.PIP_PROXY || pip.proxy || undefined,
  };
}

/** uv allows `name=https://…`. */
const withoutName = (index: string): string => index.replace(/^[A-Za-z0-9._-]+=(?=[a-z]+:)/, '');

async function uvTomlIndex(environment: Source): Promise<string | undefined> {
  const home = environment.HOME;
  const files = [
    environment.UV_CONFIG_FILE,
    environment.XDG_CONFIG_HOME && join(environment.XDG_CONFIG_HOME, 'uv', 'uv.toml'),
    home && join(home, '.config', 'uv', 'uv.toml'),
    environment.APPDATA && join(environment.APPDATA, 'uv', 'uv.toml'),
    '/etc/uv/uv.toml',
  ];
  for (const file of files) {
    const text = file && (await readOrNone(file));
    if (!text) continue;
    const plain = /^\s*index-url\s*=\s*["']([^"']+)["']/m.exec(text)?.[1];
    const tables = text
      .split(/^\s*\[\[index\]\]\s*$/m)
      .slice(1)
      .map((table) => table.split(/^\s*\[/m)[0] ?? '');
    const table = tables.find((one) => /^\s*default\s*=\s*true/m.test(one));
    const found = /^\s*url\s*=\s*["']([^"']+)["']/m.exec(table ?? '')?.[1] ?? plain;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The keys of `[global]` and `[install]`; `-` and `_` are the same in names; the first file that has a key wins. */
async function pipConfiguration(environment: Source): Promise<Record<string, string>> {
  const home = environment.HOME ?? environment.USERPROFILE;
  const files = [
    environment.PIP_CONFIG_FILE,
    environment.XDG_CONFIG_HOME && join(environment.XDG_CONFIG_HOME, 'pip', 'pip.conf'),
    home && join(home, '.config', 'pip', 'pip.conf'),
    home && join(home, '.pip', 'pip.conf'),
    environment.APPDATA && join(environment.APPDATA, 'pip', 'pip.ini'),
    '/etc/pip.conf',
  ];
  const result: Record<string, string> = {};
  for (const file of files) {
    const text = file && (await readOrNone(file));
    if (!text) continue;
    let section = '';
    for (const line of text.split(/\r?\n/)) {
      const header = /^\s*\[([^\]]+)\]/.exec(line);
      if (header !== null) section = header[1] ?? '';
      const pair = /^\s*([\w-]+)\s*[=:]\s*(\S.*?)\s*$/.exec(line);
      if (pair === null || (section !== 'global' && section !== 'install')) continue;
      const name = (pair[1] ?? '').replaceAll('_', '-').toLowerCase();
      result[name] ??= pair[2] ?? '';
    }
  }
  return result;
}

async function readOrNone(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
