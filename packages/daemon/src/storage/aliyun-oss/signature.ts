/** Aliyun's signatures in the header `Authorization`, versions 1 and 4. */
import { canonicalQuery, escaped, hmac, type SignedRequest, type Signer, sha256Hex } from '../rest/index.ts';

interface Keys {
  readonly id: string;
  readonly secret: string;
}

/** HMAC-SHA1 over the verb, some headers, and bucket and key. No question of ours has a part that is signed (`acl`, `uploads`, …). */
export const signV1 =
  (bucket: string, { id, secret }: Keys): Signer =>
  ({ method, key, headers }, now) => {
    const date = now.toUTCString();
    const text = [
      method,
      headers['content-md5'] ?? '',
      headers['content-type'] ?? '',
      date,
      ...own(headers).map(([name, value]) => `${name}:${value}`),
      `/${bucket}/${key}`,
    ].join('\n');
    return { date, authorization: `OSS ${id}:${hmac('sha1', secret, text).toString('base64')}` };
  };

/** HMAC-SHA256 with a key of the day, the region and the product; the body is not part of it. */
export const signV4 =
  (
    bucket: string,
    { id, secret }: Keys,
    { region, product }: { readonly region: string; readonly product: 'oss' | 'oss-cloudbox' },
  ): Signer =>
  ({ method, key, query, headers }, now) => {
    const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
    const day = time.slice(0, 8);
    const added = { 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD', 'x-oss-date': time };
    const canonical = [
      method,
      escaped(`/${bucket}/${key}`, { keepSlashes: true }),
      canonicalQuery(query, { bare: true }),
      ...own({ ...headers, ...added }, ['content-md5', 'content-type']).map(([name, value]) => `${name}:${value}`),
      '',
      // No headers beyond those that are always signed.
      '',
      'UNSIGNED-PAYLOAD',
    ].join('\n');
    const scope = `${day}/${region}/${product}/aliyun_v4_request`;
    const text = ['OSS4-HMAC-SHA256', time, scope, sha256Hex(canonical)].join('\n');
    const keyOfScope = scope
      .split('/')
      .reduce<string | Buffer>((made, part) => hmac('sha256', made, part), `aliyun_v4${secret}`);
    const signature = hmac('sha256', keyOfScope, text).toString('hex');
    return { ...added, authorization: `OSS4-HMAC-SHA256 Credential=${id}/${scope},Signature=${signature}` };
  };

/** The store's own headers and these, sorted. */
const own = (headers: SignedRequest['headers'], also: readonly string[] = []) =>
  Object.entries(headers)
    .filter(([name]) => name.startsWith('x-oss-') || also.includes(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
