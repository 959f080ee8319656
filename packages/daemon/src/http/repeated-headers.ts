import type { IncomingMessage } from 'node:http';

/** Headers of which one value is meant. */
const SINGLE = ['x-api-key', 'x-admin-api-key', 'x-plugin-id', 'x-plugin-unique-identifier'] as const;

/**
 * Of a header that comes more than once, as proxies make it, the first counts (docs/wire/http-api.md#keys-and-groups); Node joins them, and the
 * result is no key and no plugin.
 */
export function keepFirst({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): void {
  for (const name of SINGLE) {
    const value = headers[name];
    if (typeof value !== 'string' || !value.includes(', ')) continue;
    const at = rawHeaders.findIndex((word, i) => i % 2 === 0 && word.toLowerCase() === name);
    headers[name] = rawHeaders[at + 1] ?? value;
  }
}
