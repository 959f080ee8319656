import { posix } from 'node:path';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { type Settings, tosRegion } from '../config/index.ts';
import type { StorageOptions } from '../storage/index.ts';

/** The store that the settings name. @throws DaemonError when its credentials cannot be read */
export function storageOptions(settings: Settings, nodeId: string): StorageOptions {
  const type = settings.PLUGIN_STORAGE_TYPE;
  switch (type) {
    case 'local':
      return { type, root: settings.PLUGIN_STORAGE_LOCAL_ROOT, nodeId };
    case 'aws_s3':
      return { type, ...s3Options(settings) };
    case 'azure_blob': {
      const container = settings.AZURE_BLOB_STORAGE_CONTAINER_NAME ?? '';
      return settings.AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY
        ? { type, container, accountUrl: settings.AZURE_BLOB_STORAGE_ACCOUNT_URL ?? '' }
        : { type, container, connectionString: settings.AZURE_BLOB_STORAGE_CONNECTION_STRING ?? '' };
    }
    case 'gcs':
      return {
        type,
        bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
        ...(settings.GCS_CREDENTIALS !== undefined && { serviceAccount: serviceAccount(settings.GCS_CREDENTIALS) }),
      };
    case 'aliyun_oss':
      return {
        type,
        bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
        endpoint: settings.ALIYUN_OSS_ENDPOINT ?? '',
        accessKeyId: settings.ALIYUN_OSS_ACCESS_KEY_ID ?? '',
        accessKeySecret: settings.ALIYUN_OSS_ACCESS_KEY_SECRET ?? '',
        authVersion: settings.ALIYUN_OSS_AUTH_VERSION,
        region: settings.ALIYUN_OSS_REGION ?? '',
        cloudBoxId: settings.ALIYUN_OSS_CLOUDBOX_ID ?? '',
        path: keyPrefix(settings.ALIYUN_OSS_PATH ?? ''),
      };
    case 'tencent_cos':
      return {
        type,
        bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
        region: settings.TENCENT_COS_REGION ?? '',
        secretId: settings.TENCENT_COS_SECRET_ID ?? '',
        secretKey: settings.TENCENT_COS_SECRET_KEY ?? '',
        ...(settings.TENCENT_COS_ENDPOINT !== undefined && { endpoint: settings.TENCENT_COS_ENDPOINT }),
      };
    case 'huawei_obs':
      return {
        type,
        bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
        server: settings.HUAWEI_OBS_SERVER ?? '',
        accessKey: settings.HUAWEI_OBS_ACCESS_KEY ?? '',
        secretKey: settings.HUAWEI_OBS_SECRET_KEY ?? '',
        pathStyle: settings.HUAWEI_OBS_PATH_STYLE,
      };
    case 'volcengine_tos':
      return {
        type,
        bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
        endpoint: settings.VOLCENGINE_TOS_ENDPOINT ?? '',
        region: tosRegion(settings.VOLCENGINE_TOS_REGION, settings.VOLCENGINE_TOS_ENDPOINT) ?? '',
        accessKey: settings.VOLCENGINE_TOS_ACCESS_KEY ?? '',
        secretKey: settings.VOLCENGINE_TOS_SECRET_KEY ?? '',
      };
    case 'baidu_bos':
      return {
        type,
        bucket: (settings.PLUGIN_STORAGE_OSS_BUCKET ?? '').trim(),
        endpoint: settings.BAIDU_BOS_ENDPOINT?.trim() || `${settings.BAIDU_BOS_REGION?.trim() || 'bj'}.bcebos.com`,
        accessKey: (settings.BAIDU_BOS_ACCESS_KEY ?? '').trim(),
        secretKey: (settings.BAIDU_BOS_SECRET_KEY ?? '').trim(),
      };
  }
}

function s3Options(settings: Settings) {
  const [accessKeyId, secretAccessKey] = [settings.AWS_ACCESS_KEY ?? '', settings.AWS_SECRET_KEY ?? ''];
  const chain =
    settings.S3_USE_AWS && (settings.S3_USE_AWS_MANAGED_IAM || (accessKeyId === '' && secretAccessKey === ''));
  return {
    bucket: settings.PLUGIN_STORAGE_OSS_BUCKET ?? '',
    region: settings.AWS_REGION ?? '',
    pathStyle: settings.S3_USE_PATH_STYLE,
    ...(settings.S3_ENDPOINT !== undefined && { endpoint: settings.S3_ENDPOINT }),
    ...(!chain && { credentials: { accessKeyId, secretAccessKey } }),
  };
}

function serviceAccount(base64: string): object {
  try {
    const read: unknown = JSON.parse(Buffer.from(base64, 'base64').toString());
    if (typeof read === 'object' && read !== null) return read;
  } catch {
    // Said below.
  }
  throw new DaemonError('internal', 'GCS_CREDENTIALS is not the base64 of a JSON object', {
    remedy: 'set it to the output of "base64 -w0 service-account.json", or unset it for the credentials of the machine',
  });
}

/** As existing keys were made of it: cleaned, without slashes around it. */
const keyPrefix = (text: string): string => posix.join('/', text).replace(/^\/|\/$/g, '');
