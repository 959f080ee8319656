import { expect, test } from 'vitest';
import { ALLOWED_VARIABLES, pluginEnvironment } from './plugin-environment.ts';

/** Every variable of the settings table that holds, or may hold, a secret. */
const SECRETS = [
  'SERVER_KEY', 'ADMIN_API_KEY', 'DIFY_INNER_API_KEY', 'DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY', 'DB_PASSWORD', 'DB_USERNAME',
  'DB_EXTRAS', 'REDIS_PASSWORD', 'REDIS_USERNAME', 'REDIS_SENTINEL_PASSWORD', 'REDIS_SENTINELS', 'AWS_ACCESS_KEY', 'AWS_SECRET_KEY',
  'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'TENCENT_COS_SECRET_ID', 'TENCENT_COS_SECRET_KEY',
  'AZURE_BLOB_STORAGE_CONNECTION_STRING', 'AZURE_CLIENT_SECRET', 'ALIYUN_OSS_ACCESS_KEY_ID', 'ALIYUN_OSS_ACCESS_KEY_SECRET',
  'GCS_CREDENTIALS', 'GOOGLE_APPLICATION_CREDENTIALS', 'HUAWEI_OBS_ACCESS_KEY', 'HUAWEI_OBS_SECRET_KEY', 'VOLCENGINE_TOS_ACCESS_KEY',
  'VOLCENGINE_TOS_SECRET_KEY', 'BAIDU_BOS_ACCESS_KEY', 'BAIDU_BOS_SECRET_KEY', 'OTEL_API_KEY', 'SENTRY_DSN', 'PGPASSWORD',
  'UV_INDEX_NEXUS_USERNAME', 'UV_INDEX_NEXUS_PASSWORD', 'PIP_INDEX_URL', 'UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'SECRET_KEY',
  'PYTHON_ENV_INIT_TIMEOUT', 'PIP_EXTRA_ARGS',
]; // biome-ignore format: a table
const withSecrets = Object.fromEntries(SECRETS.map((name) => [name, 'secret']));

test('no secret of the daemon passes by default, nor through a passthrough entry that covers it', () => {
  expect(pluginEnvironment(withSecrets)).toEqual({
    INSTALL_METHOD: 'local',
    PYTHONIOENCODING: 'utf-8',
    PYTHONUTF8: '1',
  });
  const careless = pluginEnvironment(
    { ...withSecrets, AWS_REGION: 'eu' },
    { passthrough: ['*', 'AWS_*', 'SERVER_KEY'], secrets: new Set(SECRETS) },
  );
  expect(careless).toEqual({ AWS_REGION: 'eu', INSTALL_METHOD: 'local', PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1' });
});

test('every allowed name passes, with a reason, and so do the families', () => {
  for (const row of ALLOWED_VARIABLES) expect(row.reason).not.toBe('');
  const names = [
    ...ALLOWED_VARIABLES.flatMap((row) => row.names),
    'LC_ALL',
    'PYTHONUNBUFFERED',
    'http_proxy',
    'no_proxy',
  ];
  const passed = pluginEnvironment(Object.fromEntries(names.map((name) => [name, 'x'])));
  expect(Object.keys(passed).sort()).toEqual([...names, 'INSTALL_METHOD', 'PYTHONIOENCODING', 'PYTHONUTF8'].sort());
  expect(pluginEnvironment({ PYTHONDONTWRITEBYTECODE: '1' })).not.toHaveProperty('PYTHONDONTWRITEBYTECODE');
  expect(pluginEnvironment({ path: 'x', LC_: 'x', XLC_ALL: 'x', PYTHON: 'x' })).not.toHaveProperty('LC_');
});

test('the fixed variables win over the source and over full inheritance', () => {
  const source = {
    INSTALL_METHOD: 'remote',
    PYTHONIOENCODING: 'latin1',
    PYTHONUTF8: '0',
    SERVER_KEY: 'k',
    GONE: undefined,
  };
  for (const inheritAll of [false, true]) {
    expect(pluginEnvironment(source, { inheritAll })).toMatchObject({
      INSTALL_METHOD: 'local',
      PYTHONIOENCODING: 'utf-8',
      PYTHONUTF8: '1',
    });
  }
  expect(pluginEnvironment(source, { inheritAll: true, secrets: new Set(['SERVER_KEY']) }).SERVER_KEY).toBe('k');
  expect('GONE' in pluginEnvironment(source, { inheritAll: true })).toBe(false);
});

test('configured proxies win, empty ones do not erase what is there', () => {
  const result = pluginEnvironment({ HTTP_PROXY: 'a', NO_PROXY: 'b' }, { proxies: { http: 'c', https: 'd', no: '' } });
  expect(result).toMatchObject({ HTTP_PROXY: 'c', HTTPS_PROXY: 'd', NO_PROXY: 'b' });
});

test('the operator lets names and families through', () => {
  const result = pluginEnvironment(
    { MY_KEY: '1', MYOTHER: '2', AWS_REGION: '3' },
    { passthrough: [' MY_KEY ', 'AWS_*', ''] },
  );
  expect(result).toMatchObject({ MY_KEY: '1', AWS_REGION: '3' });
  expect(result).not.toHaveProperty('MYOTHER');
});
