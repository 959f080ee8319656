/** Tencent's signature of requests to its XML interface: `q-sign-algorithm=sha1&…`. */
import { createHash } from 'node:crypto';
import { canonicalQuery, escaped, hmac, type Signer } from '../rest/index.ts';

/** It counts from a little earlier on, for clocks that differ, to when a long upload has surely begun. */
const EARLIER_S = 300;
const LATER_S = 900;
const signedHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'content-md5', 'content-type']);

export const signQ =
  ({ id, key }: { readonly id: string; readonly key: string }, earlier = EARLIER_S, later = LATER_S): Signer =>
  ({ method, host, path, query, headers }, now) => {
    const seconds = Math.floor(now.getTime() / 1000);
    const time = `${seconds - earlier};${seconds + later}`;
    const kept = Object.fromEntries(
      Object.entries({ ...headers, host }).filter(([name]) => signedHeaders.has(name) || name.startsWith('x-cos-')),
    );
    const text = [method.toLowerCase(), path, canonicalQuery(query), canonicalQuery(kept), ''].join('\n');
    const digest = createHash('sha1').update(text).digest('hex');
    const keyOfTime = hmac('sha1', key, time).toString('hex');
    const signature = hmac('sha1', keyOfTime, `sha1\n${time}\n${digest}\n`).toString('hex');
    const parts = [
      'q-sign-algorithm=sha1',
      `q-ak=${id}`,
      `q-sign-time=${time}`,
      `q-key-time=${time}`,
      `q-header-list=${names(kept)}`,
      `q-url-param-list=${names(query)}`,
      `q-signature=${signature}`,
    ];
    return { authorization: parts.join('&') };
  };

const names = (values: Readonly<Record<string, string>>): string =>
  Object.keys(values)
    .map((name) => escaped(name))
    .toSorted()
    .join(';');
