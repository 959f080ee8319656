import type { LookupFunction } from 'node:net';
import type { ObjectStorage } from '../object-storage.ts';
import { endpointUrl, escaped, hosted, markerList, openRestStorage } from '../rest/index.ts';
import { signObs } from './signature.ts';

export interface HuaweiObsOptions {
  readonly bucket: string;
  readonly server: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The bucket stands in the path, not in the name of the host. */
  readonly pathStyle: boolean;
  readonly lookup?: LookupFunction;
}

export async function openHuaweiObsStorage(options: HuaweiObsOptions): Promise<ObjectStorage> {
  const { bucket, pathStyle, lookup } = options;
  const server = endpointUrl('HUAWEI_OBS_SERVER', options.server);
  return await openRestStorage({
    type: 'huawei_obs',
    name: `the bucket ${bucket} of Huawei OBS at ${server.host}`,
    bucket,
    ...hosted(server, bucket, { pathStyle }),
    sign: signObs(bucket, { id: options.accessKey, secret: options.secretKey }),
    copySource: (key) => ({ 'x-obs-copy-source': escaped(`/${bucket}/${key}`, { keepSlashes: true }) }),
    listQuery: (prefix, after, limit) => ({
      prefix,
      'max-keys': String(limit),
      ...(after !== undefined && { marker: after }),
    }),
    readList: markerList,
    ...(lookup !== undefined && { lookup }),
  });
}
