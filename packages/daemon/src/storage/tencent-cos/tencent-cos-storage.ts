import type { LookupFunction } from 'node:net';
import type { ObjectStorage } from '../object-storage.ts';
import { endpointUrl, escaped, markerList, openRestStorage } from '../rest/index.ts';
import { signQ } from './signature.ts';

export interface TencentCosOptions {
  /** With the number of the account: `NAME-APPID`. */
  readonly bucket: string;
  readonly region: string;
  readonly secretId: string;
  readonly secretKey: string;
  /** The address of the bucket itself; undefined: that of the region. */
  readonly endpoint?: string;
  readonly lookup?: LookupFunction;
}

export async function openTencentCosStorage(options: TencentCosOptions): Promise<ObjectStorage> {
  const { bucket, region, lookup } = options;
  const home = `${bucket}.cos.${region}.myqcloud.com`;
  const endpoint = endpointUrl('TENCENT_COS_ENDPOINT', options.endpoint ?? home);
  return await openRestStorage({
    type: 'tencent_cos',
    name: `the bucket ${bucket} of Tencent COS at ${endpoint.host}`,
    bucket,
    origin: endpoint.origin,
    basePath: '/',
    sign: signQ({ id: options.secretId, key: options.secretKey }),
    // The source is always named by the region, whatever other name the bucket is reached by.
    copySource: (key) => ({ 'x-cos-copy-source': `${home}/${escaped(key, { keepSlashes: true })}` }),
    listQuery: (prefix, after, limit) => ({
      prefix,
      'max-keys': String(limit),
      ...(after !== undefined && { marker: after }),
    }),
    readList: markerList,
    ...(lookup !== undefined && { lookup }),
  });
}
