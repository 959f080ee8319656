import { expect, test } from 'vitest';
import { type Environment, loadSettings } from '../config/index.ts';
import { storageOptions } from './storage.ts';

const optionsOf = (env: Environment) => storageOptions(loadSettings(env, { cwd: import.meta.dirname }), 'node');
const bucket = { PLUGIN_STORAGE_OSS_BUCKET: 'b' };
const aliyun = {
  ...bucket,
  PLUGIN_STORAGE_TYPE: 'aliyun',
  ALIYUN_OSS_ENDPOINT: 'oss-cn-hangzhou.aliyuncs.com',
  ALIYUN_OSS_ACCESS_KEY_ID: 'a',
  ALIYUN_OSS_ACCESS_KEY_SECRET: 's',
  ALIYUN_OSS_REGION: 'cn-hangzhou',
};
const baidu = { ...bucket, PLUGIN_STORAGE_TYPE: 'baidu_bos', BAIDU_BOS_ACCESS_KEY: ' a ', BAIDU_BOS_SECRET_KEY: 's\n' };
const tos = {
  ...bucket,
  PLUGIN_STORAGE_TYPE: 'volcengine',
  VOLCENGINE_TOS_ACCESS_KEY: 'a',
  VOLCENGINE_TOS_SECRET_KEY: 's',
};

test.each([
  [undefined, ''],
  ['/', ''],
  ['/dify/plugins/', 'dify/plugins'],
  ['./dify//x/../plugins', 'dify/plugins'],
])('ALIYUN_OSS_PATH=%j stands as %j before keys', (path, prefix) => {
  expect(optionsOf({ ...aliyun, ALIYUN_OSS_PATH: path })).toMatchObject({
    type: 'aliyun_oss',
    path: prefix,
    authVersion: 'v4',
  });
});

test.each([
  [{ BAIDU_BOS_REGION: 'gz' }, 'gz.bcebos.com'],
  [{ BAIDU_BOS_REGION: 'gz', BAIDU_BOS_ENDPOINT: ' bos.example.com ' }, 'bos.example.com'],
])('Baidu with %j is at %s', (env, endpoint) => {
  expect(optionsOf({ ...baidu, ...env })).toMatchObject({ endpoint, accessKey: 'a', secretKey: 's', bucket: 'b' });
});

test.each([
  [{ VOLCENGINE_TOS_ENDPOINT: 'tos-cn-beijing.volces.com' }, 'cn-beijing'],
  [{ VOLCENGINE_TOS_ENDPOINT: 'https://tos-ap-southeast-1.ivolces.com/' }, 'ap-southeast-1'],
  [{ VOLCENGINE_TOS_ENDPOINT: 'tos-cn-beijing.volces.com', VOLCENGINE_TOS_REGION: 'r' }, 'r'],
])('Volcengine with %j is in the region %s', (env, region) => {
  expect(optionsOf({ ...tos, ...env })).toMatchObject({ region });
});
