/** Volcengine's signature TOS4-HMAC-SHA256 in the header `Authorization`. */
import { canonicalQuery, escaped, hmac, type Signer, sha256Hex } from '../rest/index.ts';

/** What stands for the body where no header tells its digest: that of nothing, whatever is sent. */
const BODY = sha256Hex('');

export const signTos4 =
  (region: string, { id, secret }: { readonly id: string; readonly secret: string }): Signer =>
  ({ method, host, path, query, headers }, now) => {
    const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
    const signed = Object.entries({ ...headers, host, 'x-tos-date': time })
      .filter(([name]) => name === 'host' || name === 'content-type' || name.startsWith('x-tos-'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const names = signed.map(([name]) => name).join(';');
    const canonical = [
      method,
      escaped(path, { keepSlashes: true }),
      canonicalQuery(query),
      ...signed.map(([name, value]) => `${name}:${value}`),
      '',
      names,
      BODY,
    ].join('\n');
    const scope = `${time.slice(0, 8)}/${region}/tos/request`;
    const text = ['TOS4-HMAC-SHA256', time, scope, sha256Hex(canonical)].join('\n');
    const keyOfScope = scope.split('/').reduce<string | Buffer>((made, part) => hmac('sha256', made, part), secret);
    const signature = hmac('sha256', keyOfScope, text).toString('hex');
    return {
      'x-tos-date': time,
      authorization: `TOS4-HMAC-SHA256 Credential=${id}/${scope},SignedHeaders=${names},Signature=${signature}`,
    };
  };
