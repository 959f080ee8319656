/** Huawei's signature in the header `Authorization: OBS …`. */
import { escaped, hmac, type Signer } from '../rest/index.ts';

/** HMAC-SHA1 over the verb, some headers, and bucket and key, escaped. No question of ours has a part that is signed (`acl`, …). */
export const signObs =
  (bucket: string, { id, secret }: { readonly id: string; readonly secret: string }): Signer =>
  ({ method, key, headers }, now) => {
    const date = now.toUTCString();
    const own = Object.entries(headers)
      .filter(([name]) => name.startsWith('x-obs-'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const text = [
      method,
      headers['content-md5'] ?? '',
      headers['content-type'] ?? '',
      date,
      ...own.map(([name, value]) => `${name}:${value}`),
      `/${bucket}/${escaped(key, { keepSlashes: true })}`,
    ].join('\n');
    return { date, authorization: `OBS ${id}:${hmac('sha1', secret, text).toString('base64')}` };
  };
