/** What the signatures are made of. */
import { createHash, createHmac } from 'node:crypto';

/** Everything escaped but the unreserved characters of RFC 3986, in upper case, as all of these stores count it; slashes on request. */
export function escaped(text: string, { keepSlashes = false } = {}): string {
  // What is not well-formed Unicode has no UTF-8: it becomes what Buffer makes of it.
  const all = encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepSlashes ? all.replaceAll('%2F', '/') : all;
}

/** Sorted by name. @param bare a name without a value stands alone */
export function canonicalQuery(query: Readonly<Record<string, string>>, { bare = false } = {}): string {
  return Object.entries(query)
    .map(([name, value]) => [escaped(name), escaped(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (bare && value === '' ? name : `${name}=${value}`))
    .join('&');
}

export const hmac = (algorithm: 'sha1' | 'sha256', key: string | Buffer, text: string): Buffer =>
  createHmac(algorithm, key).update(text).digest();

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');
