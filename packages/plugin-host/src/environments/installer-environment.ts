/** The closed environment that uv and the interpreters run in while an environment is made (docs/wire/lifecycle.md#closed-environment). */

import { proxyVariables } from '../runtimes/local/index.ts';

export interface Proxies {
  readonly http: string | undefined;
  readonly https: string | undefined;
  readonly no: string | undefined;
}

type Source = Readonly<Record<string, string | undefined>>;

/** Passed as they are, even when empty. */
const PASSED = ['PATH', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'];
/** Beyond upstream's set: what a network or a machine may need, and nothing that is ours to decide. */
const PASSED_TOO = ['SSL_CERT_DIR', 'TMPDIR', 'LANG', 'LC_ALL', 'SYSTEMROOT', 'TEMP', 'TMP'];
/** How to reach indexes and builds of Python. Credentials of named indexes are added where an index has that name. */
const UV_FAMILIES =
  /^UV_(?:DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|INDEX_STRATEGY|KEYRING_PROVIDER|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|HTTP_[A-Z_]{1,40}|CONCURRENT_[A-Z_]{1,40}|LINK_MODE|PYTHON_INSTALL_MIRROR|PYPY_INSTALL_MIRROR|PYTHON_DOWNLOADS_JSON_URL|CONFIG_FILE|NO_CONFIG|OFFLINE)$/;
const CREDENTIALS = /^UV_INDEX_([A-Z0-9_]{1,100})_(?:USERNAME|PASSWORD)$/;

export function installerEnvironment(
  source: Source,
  options: {
    readonly proxies: Proxies;
    readonly cacheDirectory: string;
    readonly environment?: string;
    readonly python?: string;
  },
): Record<string, string> {
  const result: Record<string, string> = {};
  const names = indexNames(source);
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined) continue;
    const index = CREDENTIALS.exec(name)?.[1];
    if (index !== undefined) {
      // Bound to the operator's own indexes: one that a package names may bear any name.
      if (names.has(index)) result[name] = value;
    } else if (PASSED.includes(name)) result[name] = value;
    else if (value !== '' && (PASSED_TOO.includes(name.toUpperCase()) || UV_FAMILIES.test(name))) result[name] = value;
  }
  Object.assign(result, proxyVariables(options.proxies));
  result.UV_CACHE_DIR = options.cacheDirectory;
  // An interpreter is chosen before; a download in the middle of a step would be silent and unbounded.
  result.UV_PYTHON_DOWNLOADS = 'never';
  result.UV_NO_PROGRESS = '1';
  if (options.environment !== undefined) result.VIRTUAL_ENV = options.environment;
  if (options.python !== undefined) result.UV_PYTHON = options.python;
  return result;
}

/** The names the operator has given to indexes (`nexus=https://…`), as they stand in the names of variables. */
function indexNames(source: Source): Set<string> {
  const indexes = [source.UV_DEFAULT_INDEX, ...(source.UV_INDEX ?? '').split(/\s/)];
  return new Set(
    indexes.flatMap((index) => {
      const name = /^([A-Za-z0-9._-]{1,100})=/.exec(index ?? '')?.[1];
      return name === undefined ? [] : [name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')];
    }),
  );
}

/** For commands run with the plugin's own interpreter: they need no index and no credentials. */
export function interpreterEnvironment(source: Source): Record<string, string> {
  const result: Record<string, string> = { PYTHONUTF8: '1' };
  for (const name of ['PATH', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'SYSTEMROOT', 'TEMP', 'TMP']) {
    const value = source[name];
    if (value) result[name] = value;
  }
  return result;
}
