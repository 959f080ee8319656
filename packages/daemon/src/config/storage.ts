import { boolean, choice, InvalidValue, integer, path, text, url } from './setting.ts';

const ignored = { usedBy: '–', status: 'no-effect' } as const;
const cloud = (meaning: string) => ({ ...ignored, meaning: `${meaning} (this store is not supported yet).` });
const store = { usedBy: 'storage' } as const;

/** The stores there are drivers for. */
const supported: ReadonlySet<string> = new Set(['local', 'aws_s3', 'azure_blob', 'gcs']);

/** Object storage and its key prefixes. Source: docs/wire/state.md#settings (all spellings of the types). */
export const storageSettings = {
  PLUGIN_STORAGE_TYPE: choice(
    {
      local: 'local',
      local_file: 'local',
      s3: 'aws_s3',
      aws_s3: 'aws_s3',
      'aws-s3': 'aws_s3',
      azure: 'azure_blob',
      azure_blob: 'azure_blob',
      'azure-blob': 'azure_blob',
      aliyun: 'aliyun_oss',
      'aliyun-oss': 'aliyun_oss',
      aliyun_oss: 'aliyun_oss',
      tencent: 'tencent_cos',
      tencent_cos: 'tencent_cos',
      'tencent-cos': 'tencent_cos',
      gcs: 'gcs',
      'google-storage': 'gcs',
      google_storage: 'gcs',
      huawei: 'huawei_obs',
      'huawei-obs': 'huawei_obs',
      huawei_obs: 'huawei_obs',
      volcengine: 'volcengine_tos',
      volcengine_tos: 'volcengine_tos',
      'volcengine-tos': 'volcengine_tos',
      baidu_bos: 'baidu_bos',
    },
    {
      default: 'local',
      meaning: 'Where packages, assets and the storage of plugins are kept.',
      usedBy: 'compose',
      refused: 'the stores of Aliyun, Tencent, Huawei, Volcengine and Baidu',
      refuse: (type) => {
        if (!supported.has(type)) {
          throw new InvalidValue(
            'is a store that is not supported in this version',
            'if it speaks the protocol of S3, set PLUGIN_STORAGE_TYPE=s3 with S3_USE_AWS=false and its S3_ENDPOINT; or set PLUGIN_STORAGE_TYPE=local',
          );
        }
      },
    },
  ),
  PLUGIN_STORAGE_LOCAL_ROOT: path({
    default: 'storage',
    defaultText: '`DATA_DIR/storage`',
    meaning: 'Root directory of the local storage.',
    usedBy: 'storage',
  }),
  PLUGIN_INSTALLED_PATH: text({
    default: 'plugin',
    meaning: 'Key prefix of the copies that mark installed plugins.',
    usedBy: 'storage',
  }),
  PLUGIN_PACKAGE_CACHE_PATH: text({
    default: 'plugin_packages',
    meaning: 'Key prefix of uploaded packages.',
    usedBy: 'storage',
  }),
  PLUGIN_MEDIA_CACHE_PATH: text({ default: 'assets', meaning: 'Key prefix of assets (icons).', usedBy: 'storage' }),
  PERSISTENCE_STORAGE_PATH: text({
    default: 'persistence',
    meaning: 'Key prefix of the persistent storage of plugins.',
    usedBy: 'storage',
  }),
  PERSISTENCE_STORAGE_MAX_SIZE: integer({
    default: 104_857_600,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning: 'Most that one plugin may store for one tenant; a smaller limit in its manifest wins.',
    usedBy: 'backwards-invocation',
  }),
  PLUGIN_MEDIA_CACHE_SIZE: integer({
    default: 1024,
    max: 65535,
    zeroIsDefault: true,
    meaning: 'Assets kept in memory.',
    usedBy: 'http/assets',
  }),
  PLUGIN_ASSET_CACHE_SIZE: integer({
    default: 256,
    max: 65535,
    zeroIsDefault: true,
    meaning: 'Files extracted from packages kept in memory.',
    usedBy: 'http/assets',
  }),
  PLUGIN_STORAGE_OSS_BUCKET: text({ ...store, meaning: 'Bucket, of every store but Azure.' }),
  S3_USE_AWS: boolean({
    ...store,
    default: true,
    meaning:
      'S3 is that of AWS: `S3_ENDPOINT` may be unset, and without both keys the default chain of AWS finds credentials.',
  }),
  S3_USE_AWS_MANAGED_IAM: boolean({
    ...store,
    default: false,
    meaning: 'S3: the default chain of AWS (roles of machines, containers and profiles), whatever the keys are.',
  }),
  S3_ENDPOINT: url({ ...store, meaning: 'S3: address of another server than that of the region.' }),
  S3_USE_PATH_STYLE: boolean({
    ...store,
    default: true,
    meaning: 'S3: the bucket stands in the path, not in the name of the host.',
  }),
  AWS_ACCESS_KEY: text({ ...store, secret: true, meaning: 'S3: access key.' }),
  AWS_SECRET_KEY: text({ ...store, secret: true, meaning: 'S3: its secret.' }),
  AWS_REGION: text({ ...store, meaning: 'S3: region.' }),
  TENCENT_COS_SECRET_KEY: text({ ...cloud('Tencent secret'), secret: true }),
  TENCENT_COS_SECRET_ID: text({ ...cloud('Tencent key'), secret: true }),
  TENCENT_COS_REGION: text(cloud('Tencent region')),
  TENCENT_COS_ENDPOINT: text(cloud('Tencent bucket URL')),
  AZURE_BLOB_STORAGE_CONTAINER_NAME: text({ ...store, meaning: 'Azure: container; it has to be there.' }),
  AZURE_BLOB_STORAGE_CONNECTION_STRING: text({ ...store, secret: true, meaning: 'Azure: connection string.' }),
  AZURE_BLOB_STORAGE_ACCOUNT_URL: url({
    ...store,
    meaning: 'Azure: `https://ACCOUNT.blob.core.windows.net`, with the identity of the machine.',
  }),
  AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY: boolean({
    ...store,
    default: false,
    meaning: 'Azure: the identity of the machine, and the URL above, instead of the connection string.',
  }),
  ALIYUN_OSS_REGION: text(cloud('Aliyun region')),
  ALIYUN_OSS_ENDPOINT: text(cloud('Aliyun endpoint')),
  ALIYUN_OSS_ACCESS_KEY_ID: text({ ...cloud('Aliyun key'), secret: true }),
  ALIYUN_OSS_ACCESS_KEY_SECRET: text({ ...cloud('Aliyun secret'), secret: true }),
  ALIYUN_OSS_AUTH_VERSION: text({ ...cloud('Aliyun signature version'), default: 'v4' }),
  ALIYUN_OSS_PATH: text(cloud('Aliyun key prefix')),
  ALIYUN_OSS_CLOUDBOX_ID: text(cloud('Aliyun cloud box')),
  GCS_CREDENTIALS: text({
    ...store,
    secret: true,
    meaning: 'Google: base64 of the JSON of a service account; unset: the default credentials of the machine.',
  }),
  HUAWEI_OBS_ACCESS_KEY: text({ ...cloud('Huawei key'), secret: true }),
  HUAWEI_OBS_SECRET_KEY: text({ ...cloud('Huawei secret'), secret: true }),
  HUAWEI_OBS_SERVER: text(cloud('Huawei server')),
  HUAWEI_OBS_PATH_STYLE: boolean({ ...cloud('Huawei: bucket in the path'), default: false }),
  VOLCENGINE_TOS_ENDPOINT: text(cloud('Volcengine endpoint')),
  VOLCENGINE_TOS_ACCESS_KEY: text({ ...cloud('Volcengine key'), secret: true }),
  VOLCENGINE_TOS_SECRET_KEY: text({ ...cloud('Volcengine secret'), secret: true }),
  VOLCENGINE_TOS_REGION: text(cloud('Volcengine region')),
  BAIDU_BOS_ENDPOINT: text(cloud('Baidu endpoint')),
  BAIDU_BOS_ACCESS_KEY: text({ ...cloud('Baidu key'), secret: true }),
  BAIDU_BOS_SECRET_KEY: text({ ...cloud('Baidu secret'), secret: true }),
  BAIDU_BOS_REGION: text(cloud('Baidu region')),
};
