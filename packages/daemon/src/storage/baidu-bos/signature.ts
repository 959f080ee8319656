/** Baidu's signature bce-auth-v1 in the header `Authorization`. */
import { canonicalQuery, escaped, hmac, type Signer } from '../rest/index.ts';

const EXPIRES_S = 1800;
const signedHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'content-md5', 'content-type']);

export const signBce =
  ({ id, secret }: { readonly id: string; readonly secret: string }): Signer =>
  ({ method, host, path, query, headers }, now) => {
    const time = now.toISOString().replace(/\.\d+/, '');
    const signed = Object.entries({ ...headers, host, 'x-bce-date': time })
      .filter(([name]) => signedHeaders.has(name) || name.startsWith('x-bce-'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const about = `bce-auth-v1/${id}/${time}/${EXPIRES_S}`;
    const text = [
      method,
      escaped(path, { keepSlashes: true }),
      canonicalQuery(query),
      signed
        .map(([name, value]) => `${escaped(name)}:${escaped(value)}`)
        .toSorted()
        .join('\n'),
    ].join('\n');
    const keyOfTime = hmac('sha256', secret, about).toString('hex');
    const signature = hmac('sha256', keyOfTime, text).toString('hex');
    const names = signed.map(([name]) => name).join(';');
    return { 'x-bce-date': time, authorization: `${about}/${names}/${signature}` };
  };
