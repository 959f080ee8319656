import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { databaseProblems, databaseWarnings, derivedDatabase } from './database-check.ts';
import { nodeProblems } from './nodes-check.ts';
import { redisProblems, usesRedis } from './redis-servers.ts';
import { derivedScaling } from './scaling-defaults.ts';
import type { SettingWarning } from './setting-warning.ts';
import type { SettingProblem } from './settings-error.ts';
import { storageProblems } from './storage-check.ts';
import type { SettingName, SettingValues } from './table.ts';

interface Checked {
  /** Values that follow from other settings. */
  readonly derived: Partial<SettingValues>;
  readonly problems: readonly SettingProblem[];
  readonly warnings: readonly SettingWarning[];
}

/** What can be said only of several settings together: derived defaults, contradictions, dangerous combinations. */
export function crossCheck(values: SettingValues, configured: ReadonlySet<SettingName>): Checked {
  const derived = derive(values, configured);
  const effective = { ...values, ...derived };
  return {
    derived,
    problems: [
      ...contradictions(effective),
      ...serverlessProblems(effective),
      ...databaseProblems(effective),
      ...redisProblems(effective),
      ...nodeProblems(effective),
      ...storageProblems(effective),
      ...publishedKeys(effective),
    ],
    warnings: [...warnings(effective, configured), ...databaseWarnings(effective)],
  };
}

function derive(values: SettingValues, configured: ReadonlySet<SettingName>): Partial<SettingValues> {
  const unless = <T>(name: SettingName, configuredValue: T, otherwise: T): T =>
    configured.has(name) ? configuredValue : otherwise;
  const database = derivedDatabase(values, configured);
  return {
    ...database,
    ...derivedScaling({ ...values, ...database }, configured),
    SHUTDOWN_BALANCER_SECONDS: unless(
      'SHUTDOWN_BALANCER_SECONDS',
      values.SHUTDOWN_BALANCER_SECONDS,
      usesRedis(values) ? values.SHUTDOWN_BALANCER_SECONDS : 0,
    ),
    // With a key of its own the daemon is part of a deployment, whose other containers must reach it.
    SERVER_HOST: unless('SERVER_HOST', values.SERVER_HOST, values.SERVER_KEY === undefined ? '127.0.0.1' : '0.0.0.0'),
    PLUGIN_WORKING_PATH: unless('PLUGIN_WORKING_PATH', values.PLUGIN_WORKING_PATH, join(values.DATA_DIR, 'cwd')),
    PLUGIN_STORAGE_LOCAL_ROOT: unless(
      'PLUGIN_STORAGE_LOCAL_ROOT',
      values.PLUGIN_STORAGE_LOCAL_ROOT,
      join(values.DATA_DIR, 'storage'),
    ),
    SRI_DATA_DIR: unless('SRI_DATA_DIR', values.SRI_DATA_DIR, `${values.DATA_DIR}-sri`),
    SRI_HOST: unless('SRI_HOST', values.SRI_HOST, values.SRI_API_KEY === undefined ? '127.0.0.1' : '0.0.0.0'),
    // Compose files pass the small legacy limits to everybody, so they may raise the limit but never lower it.
    PLUGIN_MAX_MESSAGE_BYTES: unless(
      'PLUGIN_MAX_MESSAGE_BYTES',
      values.PLUGIN_MAX_MESSAGE_BYTES,
      Math.max(
        values.PLUGIN_MAX_MESSAGE_BYTES,
        values.PLUGIN_RUNTIME_MAX_BUFFER_SIZE,
        values.PLUGIN_STDIO_MAX_BUFFER_SIZE,
      ),
    ),
  };
}

function contradictions(values: SettingValues): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  if (values.ADMIN_API_ENABLED && Buffer.byteLength(values.ADMIN_API_KEY ?? '') < 10) {
    problems.push({
      variable: 'ADMIN_API_KEY',
      value: '(hidden)',
      problem: 'is shorter than 10 bytes, and ADMIN_API_ENABLED mounts the admin API',
      remedy: 'set a long random key (openssl rand -base64 42), or unset ADMIN_API_ENABLED',
    });
  }
  if (values.ADMIN_API_KEY_PREVIOUS !== undefined && Buffer.byteLength(values.ADMIN_API_KEY_PREVIOUS) < 10) {
    problems.push({
      variable: 'ADMIN_API_KEY_PREVIOUS',
      value: '(hidden)',
      problem: 'is shorter than 10 bytes, as no key of the admin API may be',
      remedy: 'unset it, once nobody uses it',
    });
  }
  const ports = [values.SERVER_PORT, values.PLUGIN_REMOTE_INSTALLING_PORT];
  if (values.DETAILS_PORT !== 0 && ports.includes(values.DETAILS_PORT)) {
    problems.push({
      variable: 'DETAILS_PORT',
      value: String(values.DETAILS_PORT),
      problem: 'is the port of another server of this daemon',
      remedy: 'choose a port of its own',
    });
  }
  if (values.PLUGIN_REMOTE_INSTALLING_ENABLED && values.PLUGIN_REMOTE_INSTALLING_PORT === values.SERVER_PORT) {
    problems.push({
      variable: 'PLUGIN_REMOTE_INSTALLING_PORT',
      value: String(values.PLUGIN_REMOTE_INSTALLING_PORT),
      problem: 'is the port of the HTTP server',
      remedy: 'choose two different ports for SERVER_PORT and PLUGIN_REMOTE_INSTALLING_PORT',
    });
  }
  if (
    values.THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED &&
    values.THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS.length === 0
  ) {
    problems.push({
      variable: 'THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED',
      value: 'true',
      problem: 'has no keys to verify with',
      remedy: 'list the PEM files in THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS, or set it to false',
    });
  }
  return problems;
}

/** A shared environment may name these without the platform that needs them. */
function serverlessProblems(values: SettingValues): readonly SettingProblem[] {
  if (values.PLATFORM !== 'serverless') return [];
  const problems: SettingProblem[] = [];
  const address = values.DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL ?? '';
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    problems.push({
      variable: 'DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL',
      value: address,
      problem: `${address === '' ? 'is not set' : 'is not an http or https URL'}, and PLATFORM=serverless needs a connector that builds functions`,
      remedy:
        'set it to the address of your connector, such as http://sri:5004; or unset PLATFORM: plugins then run on this machine',
    });
  }
  const { DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: key, DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY_FILE: keyFile } =
    values;
  if ((key ?? '') === '' && keyFile === undefined) {
    problems.push({
      variable: 'DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY',
      value: '(hidden)',
      problem: 'is not set, and PLATFORM=serverless needs the key of its connector',
      remedy: 'set it to the key that the connector was given, or …_API_KEY_FILE to a file with it',
    });
  }
  return problems;
}

/** SHA-256 of the default keys that Dify's compose and example files print for everybody. */
const publishedKeyDigests: ReadonlySet<string> = new Set([
  '481c0ab8a6f9e9dcb9391fb1c8b649d19f493c5253e4dc20c2c32ec21875b8ab',
  '217ef27f7b2a2f8949eb2e0973f7dfa099f887427b9a6626b2395e2417239ff2',
  '0f44b34c6311bcb547867d393c1c56e6564e03d905fdd023637f549358bf3670',
]);

/** Whether a key is one that compose or example files print for everybody. */
export const isPublished = (key: string | undefined): boolean =>
  key !== undefined && publishedKeyDigests.has(createHash('sha256').update(key).digest('hex'));

/** Whether a bind address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function publishedKeys(values: SettingValues): readonly SettingProblem[] {
  if (isLoopback(values.SERVER_HOST) || values.ALLOW_PUBLISHED_KEYS) return [];
  const keys = [
    { variable: 'SERVER_KEY', value: values.SERVER_KEY, twin: 'PLUGIN_DAEMON_KEY' },
    { variable: 'SERVER_KEY_PREVIOUS', value: values.SERVER_KEY_PREVIOUS, twin: 'PLUGIN_DAEMON_KEY' },
    { variable: 'DIFY_INNER_API_KEY', value: values.DIFY_INNER_API_KEY, twin: 'PLUGIN_DIFY_INNER_API_KEY' },
  ];
  return keys
    .filter(({ value }) => isPublished(value))
    .map(({ variable, twin }) => ({
      variable,
      value: '(hidden)',
      problem: `is a default key that public compose files print, and the server listens on ${values.SERVER_HOST}: anyone who reaches it can run code here`,
      remedy: `generate one (openssl rand -base64 42) and set it here and as ${twin} in Dify's .env; or bind SERVER_HOST=127.0.0.1; or accept the risk with ALLOW_PUBLISHED_KEYS=true`,
    }));
}

/** Keys below this can be found by trying, however slowly. */
const SHORT_KEY_BYTES = 16;

function warnings(values: SettingValues, configured: ReadonlySet<SettingName>): readonly SettingWarning[] {
  const found: SettingWarning[] = [];
  if (values.SERVER_KEY !== undefined && !configured.has('SERVER_HOST')) {
    found.push({
      variables: ['SERVER_HOST', 'SERVER_KEY'],
      message: `the server listens on ${values.SERVER_HOST}, beyond this machine, because SERVER_KEY is set; SERVER_HOST=127.0.0.1 keeps it here, SERVER_HOST=0.0.0.0 says that it is meant`,
    });
  }
  const keys = ['SERVER_KEY', 'SERVER_KEY_PREVIOUS', 'ADMIN_API_KEY', 'DETAILS_KEY'] as const;
  const shortKeys = keys.filter(
    (name) => Buffer.byteLength(values[name] ?? ' '.repeat(SHORT_KEY_BYTES)) < SHORT_KEY_BYTES,
  );
  if (shortKeys.length > 0 && !isLoopback(values.SERVER_HOST)) {
    found.push({
      variables: shortKeys,
      message: `SHORT KEY: ${shortKeys.join(', ')} has fewer than ${SHORT_KEY_BYTES} bytes and the server listens on ${values.SERVER_HOST}; whoever guesses it can run code here. Generate one: openssl rand -base64 42`,
    });
  }
  if (values.ALLOW_PUBLISHED_KEYS && [values.SERVER_KEY, values.DIFY_INNER_API_KEY].some(isPublished)) {
    found.push({
      variables: ['ALLOW_PUBLISHED_KEYS'],
      message: 'the daemon runs with a key that everybody knows; anyone who reaches its port can run code here',
    });
  }
  if (
    values.THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS.length > 0 &&
    !values.THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED
  ) {
    found.push({
      variables: ['THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS', 'THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED'],
      message:
        'public keys of third parties are named but not used: packages signed with them are refused until THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED=true',
    });
  }
  if (values.PLUGIN_ENV_INHERIT_ALL) {
    found.push({
      variables: ['PLUGIN_ENV_INHERIT_ALL'],
      message: "plugins see the daemon's whole environment, with its keys and passwords",
    });
  }
  return found;
}
