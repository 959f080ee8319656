import type { LookupFunction } from 'node:net';
import type { ObjectStorage } from '../object-storage.ts';
import { endpointUrl, escaped, hosted, type MarkerListWords, markerList, openRestStorage } from '../rest/index.ts';
import { signBce } from './signature.ts';

export interface BaiduBosOptions {
  readonly bucket: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly lookup?: LookupFunction;
}

const words: MarkerListWords = {
  name: 'name',
  contents: 'contents',
  key: 'key',
  truncated: 'isTruncated',
  next: 'nextMarker',
  lastKeyIsNext: true,
};

export async function openBaiduBosStorage(options: BaiduBosOptions): Promise<ObjectStorage> {
  const { bucket, lookup } = options;
  const endpoint = endpointUrl('BAIDU_BOS_ENDPOINT', options.endpoint);
  return await openRestStorage({
    type: 'baidu_bos',
    name: `the bucket ${bucket} of Baidu BOS at ${endpoint.host}`,
    bucket,
    ...hosted(endpoint, bucket),
    sign: signBce({ id: options.accessKey, secret: options.secretKey }),
    copySource: (key) => ({ 'x-bce-copy-source': escaped(`/${bucket}/${key}`, { keepSlashes: true }) }),
    listQuery: (prefix, after, limit) => ({
      prefix,
      maxKeys: String(limit),
      ...(after !== undefined && { marker: after }),
    }),
    readList: (document) => markerList(document, words),
    ...(lookup !== undefined && { lookup }),
  });
}
