import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseEnvText } from './env-file.ts';
import { type Environment, loadSettings, type SettingProblem, SettingsError, secretSettings } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(root, { recursive: true }));
const load = (env: Environment, cwd = root) => loadSettings(env, { cwd });

function problemsOf(env: Environment, cwd = root): readonly SettingProblem[] {
  try {
    load(env, cwd);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
const variables = (env: Environment) => problemsOf(env).map((problem) => problem.variable);

/** The default key that compose files print; spelt in parts so that no scanner mistakes it for a secret of ours. */
const publishedKey = ['lYkiYYT6owG+71oLerGzA7GX', 'CgOT++6ovaezWAjpCjf+Sjc3ZtU+qUEi'].join('');

test('nothing configured means everything embedded, on this machine only', () => {
  const settings = load({});
  expect(settings).toMatchObject({
    DB_TYPE: 'sqlite',
    PLATFORM: 'local',
    PLUGIN_STORAGE_TYPE: 'local',
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: 5002,
    SERVER_KEY: undefined,
    DIFY_INNER_API_URL: 'http://127.0.0.1:5001',
    PLUGIN_REMOTE_INSTALLING_HOST: '127.0.0.1',
    PLUGIN_REMOTE_INSTALLING_PORT: 5003,
    FORCE_VERIFYING_SIGNATURE: true,
    DATA_DIR: join(root, 'data'),
    PLUGIN_WORKING_PATH: join(root, 'data', 'cwd'),
    PLUGIN_STORAGE_LOCAL_ROOT: join(root, 'data', 'storage'),
    LOG_LEVEL: 'INFO',
    warnings: [],
  });
  expect(settings.configured.size).toBe(0);
});

test('times that no timer can hold stand for the longest one instead of none', () => {
  const settings = load({
    PLUGIN_MAX_EXECUTION_TIMEOUT: '31536000',
    PLUGIN_INSTALL_TIMEOUT: '1000000',
    DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT: '99999999999',
    MAX_DISPATCH_BODY_BYTES: '99999999999',
  });
  expect(settings.PLUGIN_MAX_EXECUTION_TIMEOUT).toBe(2_147_483);
  expect(settings.PLUGIN_INSTALL_TIMEOUT).toBe(35_791);
  expect(settings.DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT).toBe(2_147_483_647);
  expect(settings.MAX_DISPATCH_BODY_BYTES).toBe(99_999_999_999);
});

test('an empty variable counts as unset, of whatever kind', () => {
  const names = [
    'SERVER_PORT',
    'DB_TYPE',
    'PIP_VERBOSE',
    'OTEL_SAMPLING_RATE',
    'DB_READ_TIMEOUT',
    'REDIS_HOST',
    'LOG_FILE',
  ];
  expect(load(Object.fromEntries(names.map((name) => [name, ' '])))).toEqual(load({}));
});

test.each([
  ['SERVER_PORT', '0x1F', 31],
  ['SERVER_PORT', '0b11', 3],
  ['SERVER_PORT', '0o17', 15],
  ['SERVER_PORT', '017', 15],
  ['SERVER_PORT', ' 5_010 ', 5010],
  ['SERVER_PORT', '0', 5002],
  ['PLUGIN_INSTALL_TIMEOUT', '0', 15],
  ['PLUGIN_IDLE_TIMEOUT', '0', 0],
  ['PIP_VERBOSE', 'F', false],
  ['PIP_VERBOSE', 'FALSE', false],
  ['PIP_VERBOSE', 'yes', true],
  ['LOG_LEVEL', 'WARNING', 'WARN'],
  ['LOG_LEVEL', 'critical', 'ERROR'],
  ['PLUGIN_STORAGE_TYPE', 'local_file', 'local'],
  ['PIP_MIRROR_CANDIDATES', ' http://a , http://b,, ', ['http://a', 'http://b']],
  ['DB_CONNECT_TIMEOUT', '1m30s', 90_000],
  ['DB_CONNECT_TIMEOUT', '500ms', 500],
  ['OTEL_SAMPLING_RATE', '0.1', 0.1],
  ['DIFY_INNER_API_URL', 'http://api:5001/', 'http://api:5001'],
])('%s=%j reads as %j', (name, raw, value) => {
  expect(load({ [name]: raw })).toHaveProperty(name, value);
});

test.each([
  ['SERVER_PORT', '5002/tcp'],
  ['SERVER_PORT', '65536'],
  ['SERVER_PORT', '-1'],
  ['SERVER_PORT', '08'],
  ['MAX_PLUGIN_PACKAGE_SIZE', '50MB'],
  ['PIP_VERBOSE', 'maybe'],
  ['LOG_LEVEL', 'LOUD'],
  ['DB_CONNECT_TIMEOUT', '5'],
  ['OTEL_SAMPLING_RATE', '10%'],
  ['DIFY_INNER_API_URL', 'api:5001'],
  ['SERVER_TZ', 'Mars/Olympus'],
  ['SESSION_BUFFER_BYTES', '1'],
])('%s=%j is a problem with a remedy', (name, raw) => {
  expect(problemsOf({ [name]: raw })).toEqual([
    { variable: name, value: raw, problem: expect.any(String), remedy: expect.stringMatching(/\w/) },
  ]);
});

test('all problems are reported at once, with variable, value and remedy', () => {
  const env = { SERVER_PORT: 'x', LOG_LEVEL: 'y', PLATFORM: 'cloud', REDIS_PORT: 'redis' };
  expect(variables(env).toSorted()).toEqual(['LOG_LEVEL', 'PLATFORM', 'REDIS_PORT', 'SERVER_PORT']);
  expect(() => load(env)).toThrow(/SERVER_PORT=x: is not a whole number\n\s+→ write digits only/);
});

test.each([
  { REDIS_USE_AZURE_MANAGED_IDENTITY: 'true' },
  { ENABLE_OTEL: 'true' },
  { SENTRY_ENABLED: '1' },
] satisfies Environment[])('what this version cannot do is refused: %j', (env) => {
  expect(variables(env)).toEqual(Object.keys(env));
});

test('the serverless platform needs address and key of its connector', () => {
  const [address, key] = ['DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL', 'DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY'];
  expect(variables({ PLATFORM: 'serverless' })).toEqual([address, key]);
  expect(variables({ PLATFORM: 'serverless', [address]: 'ftp://x', [key]: 'k' })).toEqual([address]);
  expect(variables({ PLATFORM: 'serverless', [address]: 'http://sri:5004/base', [key]: 'k' })).toEqual([]);
  expect(variables({ PLATFORM: 'serverless', [address]: 'http://sri:5004', [`${key}_FILE`]: '/run/key' })).toEqual([]);
  expect(variables({ [address]: 'whatever' })).toEqual([]);
});

test('what a shared environment names without needing it is accepted', () => {
  const settings = load({
    DB_TYPE: 'sqlite',
    DB_HOST: 'db_postgres',
    DB_PASSWORD: 'secret',
    REDIS_PORT: '6379',
    ENABLE_OTEL: 'false',
    OTEL_EXPORTER_OTLP_PROTOCOL: '',
    S3_USE_AWS: 'false',
    PPROF_ENABLED: 'true',
    SECRET_KEY: 'x',
  });
  expect(settings.warnings).toEqual([{ variables: ['PPROF_ENABLED'], message: expect.stringContaining('no effect') }]);
});

test('a secret never stands in a message', () => {
  const [problem] = problemsOf({ SERVER_KEY: publishedKey });
  expect(problem).toMatchObject({ variable: 'SERVER_KEY', value: '(hidden)' });
  expect(() => load({ SERVER_KEY: publishedKey })).toThrow(expect.not.stringContaining(publishedKey));
});

test('a configured key opens the server to the deployment; a published one does not, unless somebody says so', () => {
  expect(load({ SERVER_KEY: 'my-own-key' }).SERVER_HOST).toBe('0.0.0.0');
  expect(load({ SERVER_KEY: 'my-own-key', SERVER_HOST: '::1' }).SERVER_HOST).toBe('::1');
  expect(variables({ SERVER_KEY: publishedKey })).toEqual(['SERVER_KEY']);
  expect(variables({ DIFY_INNER_API_KEY: publishedKey, SERVER_HOST: '10.0.0.1' })).toEqual(['DIFY_INNER_API_KEY']);
  expect(load({ SERVER_KEY: publishedKey, SERVER_HOST: '127.0.0.1' }).warnings).toEqual([]);
  expect(
    load({ SERVER_KEY: publishedKey, SERVER_HOST: '0.0.0.0', ALLOW_PUBLISHED_KEYS: 'true' }).warnings[0]?.variables,
  ).toEqual(['ALLOW_PUBLISHED_KEYS']);
});

test('legacy buffer limits raise the message limit and never lower it', () => {
  const usual = load({}).PLUGIN_MAX_MESSAGE_BYTES;
  expect(load({ PLUGIN_STDIO_MAX_BUFFER_SIZE: '5242880' }).PLUGIN_MAX_MESSAGE_BYTES).toBe(usual);
  expect(load({ PLUGIN_STDIO_MAX_BUFFER_SIZE: '100000000' }).PLUGIN_MAX_MESSAGE_BYTES).toBe(100_000_000);
  expect(load({ PLUGIN_RUNTIME_MAX_BUFFER_SIZE: '200000000' }).PLUGIN_MAX_MESSAGE_BYTES).toBe(200_000_000);
  const own = { PLUGIN_RUNTIME_MAX_BUFFER_SIZE: '200000000', PLUGIN_MAX_MESSAGE_BYTES: '70000' };
  expect(load(own).PLUGIN_MAX_MESSAGE_BYTES).toBe(70_000);
});

test('contradictions between settings are problems', () => {
  expect(variables({ SERVER_PORT: '5003' })).toEqual(['PLUGIN_REMOTE_INSTALLING_PORT']);
  expect(variables({ SERVER_PORT: '5003', PLUGIN_REMOTE_INSTALLING_ENABLED: 'false' })).toEqual([]);
  expect(variables({ THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED: 'true' })).toHaveLength(1);
});

test('lower-case proxy names work, upper-case ones win', () => {
  expect(load({ http_proxy: 'http://a' }).HTTP_PROXY).toBe('http://a');
  expect(load({ http_proxy: 'http://a', HTTP_PROXY: 'http://b' }).HTTP_PROXY).toBe('http://b');
});

test('.env of the working directory is read, the environment wins, paths are resolved against it', () => {
  const cwd = join(root, 'with-file');
  mkdirSync(cwd);
  writeFileSync(join(cwd, '.env'), '# comment\nSERVER_PORT=6001\nLOG_LEVEL="debug"\nDATA_DIR=state\nSERVER_TZ=\n');
  const settings = load({ SERVER_PORT: '6002', LOG_LEVEL: '' }, cwd);
  expect(settings).toMatchObject({
    SERVER_PORT: 6002,
    LOG_LEVEL: 'DEBUG',
    SERVER_TZ: 'UTC',
    DATA_DIR: join(cwd, 'state'),
    PLUGIN_WORKING_PATH: join(cwd, 'state', 'cwd'),
  });
});

test.each([
  ['with a byte order mark', Buffer.from('\ufeffSERVER_PORT=6001\n')],
  ['in UTF-16, little end first', Buffer.from('\ufeffSERVER_PORT=6001\n', 'utf16le')],
  ['in UTF-16, big end first', Buffer.from('\ufeffSERVER_PORT=6001\n', 'utf16le').swap16()],
  ['in UTF-16 without a mark', Buffer.from('SERVER_PORT=6001\r\n', 'utf16le')],
  ['with carriage returns', Buffer.from('A=1\rSERVER_PORT=6001\r')],
])('.env is read %s', (_, bytes) => {
  const cwd = mkdtempSync(join(root, 'encoded-'));
  writeFileSync(join(cwd, '.env'), bytes);
  expect(load({}, cwd).SERVER_PORT).toBe(6001);
});

test.each([
  ['a setting in YAML', 'SERVER_PORT: 6001', 1],
  ['a word', '# first\n\nSERVER_PORT', 3],
  ['a name with a space', 'SERVER PORT=1', 1],
  ['an open quotation', 'LOG_LEVEL="debug\nSERVER_PORT=1\n', 1],
  ['a value behind its quotes', 'LOG_LEVEL="de"bug', 1],
])('.env with %s is refused, naming file and line but not what stands there', (_, text, line) => {
  const cwd = mkdtempSync(join(root, 'lines-'));
  writeFileSync(join(cwd, '.env'), text);
  expect(problemsOf({}, cwd)[0]).toMatchObject({ variable: '.env', value: `${join(cwd, '.env')}:${line}` });
});

test('.env of bytes that are no text is refused', () => {
  const cwd = mkdtempSync(join(root, 'bytes-'));
  for (const bytes of [Buffer.from('SERVER_TZ=M\xfcnchen\n', 'latin1'), Buffer.from('SERVER_KEY=a\0b')]) {
    writeFileSync(join(cwd, '.env'), bytes);
    expect(problemsOf({}, cwd)).toMatchObject([{ variable: '.env', remedy: expect.stringContaining('UTF-8') }]);
  }
});

test('values of .env are read whole', () => {
  const text = [
    'A=pass#word#1',
    'B=value # comment',
    'C="quoted # value" # comment',
    "D='single \\n'",
    'export E = spaced ',
    'F="two\nlines\\nthree \\"x\\""',
    'G=',
    'H=#',
    'I="it\'s"',
    'J=a=b==',
  ].join('\n');
  expect(parseEnvText(text, '.env')).toEqual({
    problems: [],
    values: {
      A: 'pass#word#1',
      B: 'value',
      C: 'quoted # value',
      D: 'single \\n',
      E: 'spaced',
      F: 'two\nlines\nthree "x"',
      G: '',
      H: '',
      I: "it's",
      J: 'a=b==',
    },
  });
});

test.each([
  ['SERVR_PORT', 'SERVER_PORT'],
  ['SERVER_PROT', 'SERVER_PORT'],
  ['server_port', 'SERVER_PORT'],
  ['SERVER-PORT', 'SERVER_PORT'],
  ['PLUGIN_MAX_EXECUTION_TIMOUT', 'PLUGIN_MAX_EXECUTION_TIMEOUT'],
  ['LOG_LEVELS', 'LOG_LEVEL'],
  ['DATA_DIRS', 'DATA_DIR'],
])('a misspelt name is told the one that was meant: %s', (name, meant) => {
  expect(load({ [name]: '1' }).warnings).toEqual([
    { variables: [name], message: expect.stringMatching(new RegExp(`${name} .*${meant}`)) },
  ]);
  const cwd = mkdtempSync(join(root, 'misspelt-'));
  writeFileSync(join(cwd, '.env'), `${name}=1\n`);
  expect(load({}, cwd).warnings).toHaveLength(1);
});

test('names that belong to others are left alone', () => {
  const others = {
    // Of Dify's API, which shares its environment.
    SECRET_KEY: 'x',
    ALIYUN_OSS_ACCESS_KEY: 'x',
    ALIYUN_OSS_SECRET_KEY: 'x',
    S3_ACCESS_KEY: 'x',
    PLUGIN_DAEMON_PORT: 'x',
    CONSOLE_API_URL: 'x',
    LOG_DATEFORMAT: 'x',
    // Of everybody.
    PATH: 'x',
    HOME: 'x',
    no_proxy: 'x',
    NODE_ENV: 'x',
    LOGNAME: 'x',
  };
  expect(load(others).warnings).toEqual([]);
  // Nearly a setting that is set as well.
  expect(load({ SERVER_PORT: '1', SERVER_PORTS: '2' }).warnings).toEqual([]);
});

test('a program that is not there is found at start', () => {
  const folder = mkdtempSync(join(root, 'programs-'));
  writeFileSync(join(folder, 'plain'), '');
  for (const path of ['/nonexistent/python', folder, join(folder, 'plain')])
    expect(problemsOf({ PYTHON_INTERPRETER_PATH: path, UV_PATH: path }).map((problem) => problem.variable)).toEqual([
      'PYTHON_INTERPRETER_PATH',
      'UV_PATH',
    ]);
  expect(variables({ PYTHON_INTERPRETER_PATH: process.execPath })).toEqual([]);
});

test('keys of third parties that nobody asks for are warned about', () => {
  const keys = { THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS: '/keys/mine.public.pem' };
  expect(load(keys).warnings).toEqual([
    {
      variables: ['THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS', 'THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED'],
      message: expect.stringContaining('THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED=true'),
    },
  ]);
  expect(load({ ...keys, THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED: 'true' }).warnings).toEqual([]);
});

test('a change of exposure and a short key are never without a word', () => {
  const own = 'a-key-of-sixteen-bytes';
  expect(load({ SERVER_KEY: own }).warnings).toEqual([
    {
      variables: ['SERVER_HOST', 'SERVER_KEY'],
      message: expect.stringMatching(/0\.0\.0\.0.*SERVER_HOST=127\.0\.0\.1/),
    },
  ]);
  expect(load({ SERVER_KEY: own, SERVER_HOST: '0.0.0.0' }).warnings).toEqual([]);
  expect(load({ SERVER_KEY: 'short', SERVER_HOST: '127.0.0.1' }).warnings).toEqual([]);
  expect(load({ SERVER_KEY: 'short', SERVER_HOST: '0.0.0.0' }).warnings).toEqual([
    { variables: ['SERVER_KEY'], message: expect.stringContaining('SHORT KEY') },
  ]);
  expect(variables({ SERVER_KEY: own, SERVER_KEY_PREVIOUS: publishedKey })).toEqual(['SERVER_KEY_PREVIOUS']);
});

test('.env that cannot be read is a problem like any other', () => {
  const cwd = join(root, 'with-directory');
  mkdirSync(join(cwd, '.env'), { recursive: true });
  expect(problemsOf({ SERVER_PORT: 'x' }, cwd).map((problem) => problem.variable)).toEqual(['.env', 'SERVER_PORT']);
});

test('the names of secrets are known, to keep them from plugins', () => {
  expect([...secretSettings]).toEqual(
    expect.arrayContaining(['SERVER_KEY', 'DIFY_INNER_API_KEY', 'DB_PASSWORD', 'REDIS_PASSWORD', 'OTLP_API_KEY']),
  );
  expect(secretSettings.has('HTTP_PROXY')).toBe(false);
});

test('the admin API needs a key that cannot be guessed', () => {
  expect(() => loadSettings({ ADMIN_API_ENABLED: 'true', ADMIN_API_KEY: 'short' }, { cwd: '/' })).toThrow(
    /ADMIN_API_KEY/,
  );
  expect(loadSettings({ ADMIN_API_ENABLED: 'true', ADMIN_API_KEY: '0123456789' }, { cwd: '/' }).ADMIN_API_ENABLED).toBe(
    true,
  );
});

const server = { DB_HOST: 'db', DB_USERNAME: 'dify', DB_DATABASE: 'dify_plugin' };

test.each([
  [{ ...server }, { DB_TYPE: 'postgresql', DB_PORT: 5432, DB_SSL_MODE: 'disable', DB_PASSWORD: '' }],
  [
    { ...server, DB_TYPE: 'pgbouncer', DB_PORT: '6432' },
    { DB_TYPE: 'pgbouncer', DB_PORT: 6432 },
  ],
  [
    { ...server, DB_TYPE: 'OceanBase' },
    { DB_TYPE: 'mysql', DB_PORT: 3306 },
  ],
  [{ ...server, DB_TYPE: 'mysql', DB_SSL_MODE: 'VERIFY_IDENTITY' }, { DB_SSL_MODE: 'verify-full' }],
  [{ ...server, DB_CONNECT_TIMEOUT: '0' }, { DB_CONNECT_TIMEOUT: 5000 }],
  [{ ...server, DB_EXTRAS: 'options=-c search_path=plugins' }, { DB_EXTRAS: { options: '-c search_path=plugins' } }],
  [
    { ...server, DB_EXTRAS: '--statement_timeout=5s options=-c a=b sslrootcert=/ca.pem' },
    { DB_EXTRAS: { options: '--statement_timeout=5s -c a=b' }, DB_SSL_ROOT_CERT: '/ca.pem' },
  ],
  [
    { ...server, DB_EXTRAS: `options='-c search_path="Plugins"'` },
    { DB_EXTRAS: { options: '-c search_path="Plugins"' } },
  ],
  [{ ...server, PGSSLROOTCERT: 'ca.pem' }, { DB_SSL_ROOT_CERT: join(root, 'ca.pem') }],
])('the database of %j', (env, read) => {
  expect(load(env)).toMatchObject(read);
});

test.each([
  [{ DB_HOST: 'db' }, ['DB_USERNAME', 'DB_DATABASE']],
  [{ DB_TYPE: 'mysql' }, ['DB_HOST', 'DB_USERNAME', 'DB_DATABASE']],
  [{ ...server, DB_TYPE: 'oracle' }, ['DB_TYPE']],
  [{ ...server, DB_SSL_MODE: 'sometimes' }, ['DB_SSL_MODE']],
  [{ ...server, DB_SSL_CERT: 'client.crt' }, ['DB_SSL_KEY']],
  [{ ...server, DB_EXTRAS: 'target_session_attrs=any' }, ['DB_EXTRAS']],
] satisfies [Environment, string[]][])('a database that is not described well is refused: %j', (env, wrong) => {
  expect(variables(env)).toEqual(wrong);
});

test.each([
  [{ ...server, DB_TYPE: 'pgbouncer', DB_EXTRAS: '-c a=b' }, 'DB_EXTRAS'],
  [{ ...server, DB_TYPE: 'mysql', DB_EXTRAS: '-c a=b' }, 'DB_EXTRAS'],
  [{ ...server, DB_SSL_ROOT_CERT: 'ca.pem' }, 'DB_SSL_MODE'],
])('a setting that will not do what it seems to is warned of: %j', (env, variable) => {
  expect(load(env).warnings.flatMap(({ variables: found }) => found)).toEqual([variable]);
});

test.each([
  [{ REDIS_USE_SENTINEL: 'true' }, ['REDIS_SENTINELS', 'REDIS_SENTINEL_SERVICE_NAME']],
  [{ REDIS_USE_SENTINEL: 'true', REDIS_SENTINELS: 'a:1,:2', REDIS_SENTINEL_SERVICE_NAME: 'm' }, ['REDIS_SENTINELS']],
  [{ REDIS_USE_CLUSTERS: 'true', REDIS_CLUSTERS: 'a:99999' }, ['REDIS_CLUSTERS']],
  [{ REDIS_USE_CLUSTERS: 'true', REDIS_CLUSTERS: 'a/b', REDIS_DB: '1' }, ['REDIS_CLUSTERS', 'REDIS_DB']],
  [{ REDIS_HOST: 'r', REDIS_USE_SSL: 'true', REDIS_SSL_CERT_REQS: 'cert_required' }, ['REDIS_SSL_CA_CERTS']],
  [{ REDIS_HOST: 'r', REDIS_USE_SSL: 'true', REDIS_SSL_CERT_REQS: 'SOME' }, ['REDIS_SSL_CERT_REQS']],
  [{ REDIS_HOST: 'r', REDIS_USE_SSL: 'true', REDIS_SSL_CA_CERTS: '/nowhere.pem' }, ['REDIS_SSL_CA_CERTS']],
  [
    { REDIS_HOST: 'r', REDIS_USE_SSL: 'true', REDIS_SSL_KEYFILE: import.meta.filename },
    ['REDIS_SSL_CERTFILE', 'REDIS_SSL_KEYFILE'],
  ],
] satisfies [Environment, string[]][])('Redis as %j is refused for %j', (env, names) => {
  expect(variables(env)).toEqual(names);
});

test.each([
  { REDIS_PORT: '6379', REDIS_USE_SSL: 'true', REDIS_SSL_CERT_REQS: 'CERT_REQUIRED' },
  { REDIS_USE_SENTINEL: 'true', REDIS_SENTINELS: ' a , b:1, [::1]:2', REDIS_SENTINEL_SERVICE_NAME: 'mymaster' },
  { REDIS_USE_CLUSTERS: 'true', REDIS_CLUSTERS: '10.0.0.1:7000,10.0.0.2' },
] satisfies Environment[])('Redis as %j is taken, or not looked at where nothing uses it', (env) => {
  expect(variables(env)).toEqual([]);
});

const aliyun = {
  PLUGIN_STORAGE_TYPE: 'aliyun',
  PLUGIN_STORAGE_OSS_BUCKET: 'b',
  ALIYUN_OSS_ACCESS_KEY_ID: 'a',
  ALIYUN_OSS_ACCESS_KEY_SECRET: 's',
  ALIYUN_OSS_ENDPOINT: 'oss-cn-hangzhou.aliyuncs.com',
  ALIYUN_OSS_REGION: 'cn-hangzhou',
};
const tos = {
  PLUGIN_STORAGE_TYPE: 'volcengine_tos',
  PLUGIN_STORAGE_OSS_BUCKET: 'b',
  VOLCENGINE_TOS_ENDPOINT: 'tos-cn-beijing.volces.com',
  VOLCENGINE_TOS_ACCESS_KEY: 'a',
  VOLCENGINE_TOS_SECRET_KEY: 's',
};
const s3 = { PLUGIN_STORAGE_TYPE: 'aws-s3', PLUGIN_STORAGE_OSS_BUCKET: 'b', AWS_REGION: 'r' };

test.each([
  [{ PLUGIN_STORAGE_TYPE: 's3' }, ['PLUGIN_STORAGE_OSS_BUCKET', 'AWS_REGION']],
  [{ ...s3, AWS_ACCESS_KEY: 'a' }, ['AWS_SECRET_KEY']],
  [{ ...s3, S3_USE_AWS: 'false' }, ['S3_ENDPOINT', 'AWS_ACCESS_KEY', 'AWS_SECRET_KEY']],
  [{ ...s3, S3_ENDPOINT: 'minio:9000' }, ['S3_ENDPOINT']],
  [{ PLUGIN_STORAGE_TYPE: 'azure' }, ['AZURE_BLOB_STORAGE_CONTAINER_NAME', 'AZURE_BLOB_STORAGE_CONNECTION_STRING']],
  [
    {
      PLUGIN_STORAGE_TYPE: 'azure-blob',
      AZURE_BLOB_STORAGE_CONTAINER_NAME: 'c',
      AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY: 'true',
    },
    ['AZURE_BLOB_STORAGE_ACCOUNT_URL'],
  ],
  [{ PLUGIN_STORAGE_TYPE: 'google-storage' }, ['PLUGIN_STORAGE_OSS_BUCKET']],
  [
    { PLUGIN_STORAGE_TYPE: 'aliyun-oss' },
    [
      'PLUGIN_STORAGE_OSS_BUCKET',
      'ALIYUN_OSS_ACCESS_KEY_ID',
      'ALIYUN_OSS_ACCESS_KEY_SECRET',
      'ALIYUN_OSS_ENDPOINT',
      'ALIYUN_OSS_REGION',
    ],
  ],
  [{ ...aliyun, ALIYUN_OSS_AUTH_VERSION: 'v3' }, ['ALIYUN_OSS_AUTH_VERSION']],
  [
    { PLUGIN_STORAGE_TYPE: 'tencent' },
    ['PLUGIN_STORAGE_OSS_BUCKET', 'TENCENT_COS_REGION', 'TENCENT_COS_SECRET_ID', 'TENCENT_COS_SECRET_KEY'],
  ],
  [
    { PLUGIN_STORAGE_TYPE: 'huawei-obs' },
    ['PLUGIN_STORAGE_OSS_BUCKET', 'HUAWEI_OBS_ACCESS_KEY', 'HUAWEI_OBS_SECRET_KEY', 'HUAWEI_OBS_SERVER'],
  ],
  [
    { PLUGIN_STORAGE_TYPE: 'volcengine' },
    ['PLUGIN_STORAGE_OSS_BUCKET', 'VOLCENGINE_TOS_ENDPOINT', 'VOLCENGINE_TOS_ACCESS_KEY', 'VOLCENGINE_TOS_SECRET_KEY'],
  ],
  [{ ...tos, VOLCENGINE_TOS_ENDPOINT: 'tos.example.com' }, ['VOLCENGINE_TOS_REGION']],
  [{ ...tos, VOLCENGINE_TOS_ENDPOINT: 'tos-s3-cn-beijing.volces.com' }, ['VOLCENGINE_TOS_REGION']],
  [
    { PLUGIN_STORAGE_TYPE: 'baidu_bos' },
    ['PLUGIN_STORAGE_OSS_BUCKET', 'BAIDU_BOS_ACCESS_KEY', 'BAIDU_BOS_SECRET_KEY', 'BAIDU_BOS_ENDPOINT'],
  ],
] satisfies [Environment, string[]][])('a store that is not described well is refused: %j', (env, wrong) => {
  expect(variables(env)).toEqual(wrong);
});

test.each([
  s3,
  { ...s3, S3_USE_AWS_MANAGED_IAM: 'true', AWS_ACCESS_KEY: 'a' },
  { ...s3, S3_USE_AWS: 'false', S3_ENDPOINT: 'http://minio:9000', AWS_ACCESS_KEY: 'a', AWS_SECRET_KEY: 's' },
  { PLUGIN_STORAGE_TYPE: 'gcs', PLUGIN_STORAGE_OSS_BUCKET: 'b' },
  aliyun,
  { ...aliyun, ALIYUN_OSS_REGION: '', ALIYUN_OSS_AUTH_VERSION: 'v1' },
  { ...aliyun, ALIYUN_OSS_REGION: '', ALIYUN_OSS_CLOUDBOX_ID: 'cb-1' },
  tos,
  { ...tos, VOLCENGINE_TOS_ENDPOINT: 'https://tos.example.com', VOLCENGINE_TOS_REGION: 'cn-beijing' },
  {
    PLUGIN_STORAGE_TYPE: 'tencent_cos',
    PLUGIN_STORAGE_OSS_BUCKET: 'b-1',
    TENCENT_COS_REGION: 'ap-guangzhou',
    TENCENT_COS_SECRET_ID: 'a',
    TENCENT_COS_SECRET_KEY: 's',
  },
  {
    PLUGIN_STORAGE_TYPE: 'huawei',
    PLUGIN_STORAGE_OSS_BUCKET: 'b',
    HUAWEI_OBS_SERVER: 'obs.cn-north-4.myhuaweicloud.com',
    HUAWEI_OBS_ACCESS_KEY: 'a',
    HUAWEI_OBS_SECRET_KEY: 's',
  },
  {
    PLUGIN_STORAGE_TYPE: 'baidu_bos',
    PLUGIN_STORAGE_OSS_BUCKET: 'b',
    BAIDU_BOS_REGION: 'gz',
    BAIDU_BOS_ACCESS_KEY: 'a',
    BAIDU_BOS_SECRET_KEY: 's',
  },
] satisfies Environment[])('a store that is described well is taken: %j', (env) => {
  expect(variables(env)).toEqual([]);
});

describe('WORKERS', () => {
  test.each(['0', '-1', 'x', '1000', '1.5', '2 3', '1e2', '99999999999999999999'])('%s is refused', (WORKERS) => {
    expect(() => loadSettings({ WORKERS }, { cwd: '/' })).toThrow(/WORKERS.*no number of workers/s);
  });

  test('auto is as many as there are cores', () => {
    const count = (WORKERS?: string) => loadSettings({ ...(WORKERS && { WORKERS }) }, { cwd: '/' }).WORKERS;
    expect([count(), count('1'), count('3'), count('AUTO')]).toEqual([1, 1, 3, availableParallelism()]);
  });

  test('what they cannot share is refused', () => {
    const load = (more: Record<string, string>) => () => loadSettings({ WORKERS: '4', ...more }, { cwd: '/' });
    expect(load({ NODE_PORT: '5000', SERVER_PORT: '5002' })).toThrow(/NODE_PORT=5000: begins 4 ports/);
    expect(load({ NODE_PORT: '65534' })).toThrow(/leaves no room for the ports of 4 workers/);
    expect(load({ PLUGIN_UID_RANGE: '50000-50100' })).toThrow(/fewer than 50 ids/);
    expect(load({ NODE_PORT: '6000', PLUGIN_UID_RANGE: '50000-50199' })).not.toThrow();
  });
});
