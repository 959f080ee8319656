import type { LookupFunction } from 'node:net';
import type { ObjectStorage } from '../object-storage.ts';
import { endpointUrl, escaped, hosted, markerList, openRestStorage } from '../rest/index.ts';
import { signV1, signV4 } from './signature.ts';

export interface AliyunOssOptions {
  readonly bucket: string;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly authVersion: 'v1' | 'v4';
  /** Needed for v4, unless it is a cloud box. */
  readonly region: string;
  /** A store of Aliyun's in the customer's own rooms. */
  readonly cloudBoxId: string;
  /** Before every key. */
  readonly path: string;
  readonly lookup?: LookupFunction;
}

export async function openAliyunOssStorage(options: AliyunOssOptions): Promise<ObjectStorage> {
  const { bucket, cloudBoxId, region, lookup } = options;
  const keys = { id: options.accessKeyId, secret: options.accessKeySecret };
  const endpoint = endpointUrl('ALIYUN_OSS_ENDPOINT', options.endpoint);
  const scope =
    cloudBoxId === ''
      ? ({ region, product: 'oss' } as const)
      : ({ region: cloudBoxId, product: 'oss-cloudbox' } as const);
  return await openRestStorage(
    {
      type: 'aliyun_oss',
      name: `the bucket ${bucket} of Aliyun OSS at ${endpoint.host}`,
      bucket,
      ...hosted(endpoint, bucket),
      sign: options.authVersion === 'v1' ? signV1(bucket, keys) : signV4(bucket, keys, scope),
      copySource: (key) => ({ 'x-oss-copy-source': escaped(`/${bucket}/${key}`, { keepSlashes: true }) }),
      listQuery: (prefix, after, limit) => ({
        prefix,
        'max-keys': String(limit),
        ...(after !== undefined && { marker: after }),
      }),
      readList: markerList,
      ...(lookup !== undefined && { lookup }),
    },
    options.path,
  );
}
