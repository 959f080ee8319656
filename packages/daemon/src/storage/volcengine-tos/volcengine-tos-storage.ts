import type { LookupFunction } from 'node:net';
import type { ObjectStorage } from '../object-storage.ts';
import { endpointUrl, escaped, hosted, type MarkerListWords, markerList, openRestStorage } from '../rest/index.ts';
import { signTos4 } from './signature.ts';

export interface VolcengineTosOptions {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly lookup?: LookupFunction;
}

const words: MarkerListWords = {
  name: 'Name',
  contents: 'Contents',
  key: 'Key',
  truncated: 'IsTruncated',
  next: 'NextContinuationToken',
  lastKeyIsNext: false,
};

export async function openVolcengineTosStorage(options: VolcengineTosOptions): Promise<ObjectStorage> {
  const { bucket, region, lookup } = options;
  const endpoint = endpointUrl('VOLCENGINE_TOS_ENDPOINT', options.endpoint);
  return await openRestStorage({
    type: 'volcengine_tos',
    name: `the bucket ${bucket} of Volcengine TOS at ${endpoint.host}`,
    bucket,
    ...hosted(endpoint, bucket),
    sign: signTos4(region, { id: options.accessKey, secret: options.secretKey }),
    copySource: (key) => ({ 'x-tos-copy-source': `/${bucket}/${escaped(key)}` }),
    listQuery: (prefix, after, limit) => ({
      'list-type': '2',
      prefix,
      'max-keys': String(limit),
      ...(after !== undefined && { 'continuation-token': after }),
    }),
    readList: (document) => markerList(document, words),
    ...(lookup !== undefined && { lookup }),
  });
}
