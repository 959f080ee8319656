import type { SettingProblem } from './settings-error.ts';
import type { SettingName, SettingValues } from './table.ts';

/** Settings that a store cannot do without, and what to do about it. */
function needed(values: SettingValues): readonly (readonly [SettingName, string])[] {
  switch (values.PLUGIN_STORAGE_TYPE) {
    case 'aws_s3': {
      const chain =
        values.S3_USE_AWS && (values.S3_USE_AWS_MANAGED_IAM || (!values.AWS_ACCESS_KEY && !values.AWS_SECRET_KEY));
      return [
        ['PLUGIN_STORAGE_OSS_BUCKET', 'set the name of the bucket'],
        ['AWS_REGION', 'set the region of the bucket; with other servers than those of AWS us-east-1 will often do'],
        ...(values.S3_USE_AWS ? [] : [['S3_ENDPOINT', 'set the address of the server, or S3_USE_AWS=true'] as const]),
        ...(chain
          ? []
          : ([
              ['AWS_ACCESS_KEY', 'set both keys, or neither with S3_USE_AWS=true for those that the machine has'],
              ['AWS_SECRET_KEY', 'set both keys, or neither with S3_USE_AWS=true for those that the machine has'],
            ] as const)),
      ];
    }
    case 'azure_blob':
      return [
        ['AZURE_BLOB_STORAGE_CONTAINER_NAME', 'set the name of a container that exists'],
        values.AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY
          ? ['AZURE_BLOB_STORAGE_ACCOUNT_URL', 'set the URL of the account, https://ACCOUNT.blob.core.windows.net']
          : [
              'AZURE_BLOB_STORAGE_CONNECTION_STRING',
              'set it, or AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY=true with AZURE_BLOB_STORAGE_ACCOUNT_URL',
            ],
      ];
    case 'gcs':
      return [['PLUGIN_STORAGE_OSS_BUCKET', 'set the name of a bucket that exists']];
    case 'aliyun_oss':
      return [
        bucket,
        ...both('ALIYUN_OSS_ACCESS_KEY_ID', 'ALIYUN_OSS_ACCESS_KEY_SECRET'),
        ['ALIYUN_OSS_ENDPOINT', 'set the address of the region, such as oss-cn-hangzhou.aliyuncs.com'],
        ...(values.ALIYUN_OSS_AUTH_VERSION === 'v1' || values.ALIYUN_OSS_CLOUDBOX_ID
          ? []
          : ([['ALIYUN_OSS_REGION', 'set the region, such as cn-hangzhou, or ALIYUN_OSS_AUTH_VERSION=v1']] as const)),
      ];
    case 'tencent_cos':
      return [
        bucket,
        ['TENCENT_COS_REGION', 'set the region of the bucket, such as ap-guangzhou'],
        ...both('TENCENT_COS_SECRET_ID', 'TENCENT_COS_SECRET_KEY'),
      ];
    case 'huawei_obs':
      return [
        bucket,
        ...both('HUAWEI_OBS_ACCESS_KEY', 'HUAWEI_OBS_SECRET_KEY'),
        ['HUAWEI_OBS_SERVER', 'set the address of the region, such as obs.cn-north-4.myhuaweicloud.com'],
      ];
    case 'volcengine_tos':
      return [
        bucket,
        ['VOLCENGINE_TOS_ENDPOINT', 'set the address of the region, such as tos-cn-beijing.volces.com'],
        ...both('VOLCENGINE_TOS_ACCESS_KEY', 'VOLCENGINE_TOS_SECRET_KEY'),
        ...(values.VOLCENGINE_TOS_ENDPOINT &&
        tosRegion(values.VOLCENGINE_TOS_REGION, values.VOLCENGINE_TOS_ENDPOINT) === undefined
          ? ([['VOLCENGINE_TOS_REGION', 'set the region: the address does not name it']] as const)
          : []),
      ];
    case 'baidu_bos':
      return [
        bucket,
        ...both('BAIDU_BOS_ACCESS_KEY', 'BAIDU_BOS_SECRET_KEY'),
        ...(values.BAIDU_BOS_REGION
          ? []
          : ([['BAIDU_BOS_ENDPOINT', 'set the address of the region, or BAIDU_BOS_REGION']] as const)),
      ];
    case 'local':
      return [];
  }
}

const bucket = ['PLUGIN_STORAGE_OSS_BUCKET', 'set the name of a bucket that exists'] as const;
const both = (id: SettingName, secret: SettingName) =>
  [
    [id, 'set both keys'],
    [secret, 'set both keys'],
  ] as const;

/** The region of a bucket of Volcengine: as it is set, or as the address names it. */
export const tosRegion = (set: string | undefined, endpoint = ''): string | undefined =>
  set || /^(?:https?:\/\/)?tos-((?!s3-)[a-z0-9-]+)\.i?(?:volces|bytepluses)\.com\/?$/.exec(endpoint.trim())?.[1];

/** What can be said of the object store only with all its settings. */
export const storageProblems = (values: SettingValues): readonly SettingProblem[] =>
  needed(values)
    .filter(([variable]) => values[variable] === undefined || values[variable] === '')
    .map(([variable, remedy]) => ({
      variable,
      value: '',
      problem: `is not set, and PLUGIN_STORAGE_TYPE=${values.PLUGIN_STORAGE_TYPE} needs it`,
      remedy,
    }));
