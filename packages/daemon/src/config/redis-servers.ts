import { readFileSync } from 'node:fs';
import { messageOf } from '@plugin-daemon/values';
import type { SettingProblem } from './settings-error.ts';
import type { SettingName, SettingValues } from './table.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

const defaultPort = { REDIS_SENTINELS: 26379, REDIS_CLUSTERS: 6379 } as const;

/** Whether the settings name Redis in any of its forms. */
export const usesRedis = (values: SettingValues): boolean =>
  values.REDIS_HOST !== undefined || values.REDIS_USE_SENTINEL || values.REDIS_USE_CLUSTERS;

/** What can be said only of several settings together. */
export function redisProblems(values: SettingValues): readonly SettingProblem[] {
  if (!usesRedis(values)) return [];
  const problems: SettingProblem[] = [];
  const wrong = (variable: SettingName, problem: string, remedy: string) =>
    problems.push({ variable, value: String(values[variable] ?? ''), problem, remedy });
  if (values.REDIS_USE_SENTINEL && values.REDIS_USE_CLUSTERS) {
    wrong('REDIS_USE_CLUSTERS', 'contradicts REDIS_USE_SENTINEL', 'set one of the two: a Cluster has no Sentinels');
  }
  if (values.REDIS_USE_SENTINEL) {
    addresses(values, 'REDIS_SENTINELS', wrong);
    if (values.REDIS_SENTINEL_SERVICE_NAME === undefined) {
      wrong(
        'REDIS_SENTINEL_SERVICE_NAME',
        'is not set, and REDIS_USE_SENTINEL needs it',
        'set the name of the master that the Sentinels watch, often mymaster',
      );
    }
  }
  if (values.REDIS_USE_CLUSTERS) {
    addresses(values, 'REDIS_CLUSTERS', wrong);
    if (values.REDIS_DB !== 0) wrong('REDIS_DB', 'is not 0, the only database of a Cluster', 'unset it');
  }
  if (values.REDIS_USE_SSL) tlsProblems(values, wrong);
  return problems;
}

type Wrong = (variable: SettingName, problem: string, remedy: string) => void;

function tlsProblems(values: SettingValues, wrong: Wrong): void {
  if (values.REDIS_SSL_CERT_REQS === 'CERT_REQUIRED' && values.REDIS_SSL_CA_CERTS === undefined) {
    wrong(
      'REDIS_SSL_CA_CERTS',
      'is not set, and REDIS_SSL_CERT_REQS=CERT_REQUIRED needs it',
      'name the PEM file of the authority that signed the certificate of the server',
    );
  }
  if ((values.REDIS_SSL_CERTFILE === undefined) !== (values.REDIS_SSL_KEYFILE === undefined)) {
    wrong(
      values.REDIS_SSL_CERTFILE === undefined ? 'REDIS_SSL_CERTFILE' : 'REDIS_SSL_KEYFILE',
      'is not set, although its other half is',
      'set REDIS_SSL_CERTFILE and REDIS_SSL_KEYFILE together, or neither',
    );
  }
  for (const variable of ['REDIS_SSL_CA_CERTS', 'REDIS_SSL_CERTFILE', 'REDIS_SSL_KEYFILE'] as const) {
    const file = values[variable];
    if (file === undefined) continue;
    try {
      if (!readFileSync(file, 'latin1').includes('-----BEGIN ')) {
        wrong(variable, 'names a file without PEM in it', 'write it in PEM, with its lines -----BEGIN …-----');
      }
    } catch (error) {
      const cause = messageOf(error);
      wrong(variable, `cannot be read: ${cause}`, 'name a file that the user of the daemon may read');
    }
  }
}

function addresses(values: SettingValues, variable: keyof typeof defaultPort, wrong: Wrong): void {
  const entries = values[variable];
  if (entries.length === 0) {
    wrong(variable, 'is empty', `list at least one address, such as 10.0.0.5:${defaultPort[variable]}`);
  }
  for (const entry of entries) {
    if (readAddress(entry, defaultPort[variable]) === undefined) {
      wrong(variable, `has an entry that is no address: ${JSON.stringify(entry)}`, 'write each as host:port');
    }
  }
}

/** `host`, `host:port` or `[ipv6]:port`. */
function readAddress(entry: string, otherwise: number): Address | undefined {
  const parsed = URL.parse(`redis://${entry}`);
  if (parsed === null || parsed.hostname === '' || parsed.username !== '' || !/^(|\/)$/.test(parsed.pathname)) {
    return undefined;
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? otherwise : Number(parsed.port),
  };
}

/** The addresses of a list that was checked before. */
const readAddresses = (entries: readonly string[], variable: keyof typeof defaultPort): readonly Address[] =>
  entries.flatMap((entry) => readAddress(entry, defaultPort[variable]) ?? []);

export const redisSentinels = (values: SettingValues) => readAddresses(values.REDIS_SENTINELS, 'REDIS_SENTINELS');
export const redisClusterNodes = (values: SettingValues) => readAddresses(values.REDIS_CLUSTERS, 'REDIS_CLUSTERS');
