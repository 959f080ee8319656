/** API keys (docs/wire/http-api.md#keys-and-groups; compared in constant time): who may use which group of routes. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { RouteGroup } from './route.ts';

/** The keys in force. Where two are given, the second is the former one, accepted until everybody has the first. */
export interface HttpKeys {
  /** X-Api-Key. */
  readonly server: readonly (string | undefined)[];
  /** X-Admin-Api-Key; without one the admin group admits nobody. */
  readonly admin: readonly (string | undefined)[];
  /** Opens the details group alone, for collectors of metrics. */
  readonly details: readonly (string | undefined)[];
  /** The details group needs no key, and probes tell details to everybody. */
  readonly detailsOpen: boolean;
}

/** With which key a request came; undefined without a right one. */
export type Admission = 'key' | 'former-key' | undefined;

export type KeyCheck = (headers: IncomingHttpHeaders) => Admission;

/** A check for the keys of one header. An empty key admits nobody. */
export function keyCheck(keys: readonly (string | undefined)[]): (given: unknown) => Admission {
  const expected = keys.map((key) => Buffer.from(key ?? ''));
  return (given) => {
    if (typeof given !== 'string') return undefined;
    const bytes = Buffer.from(given);
    for (const [index, key] of expected.entries())
      if (key.length > 0 && bytes.length === key.length && timingSafeEqual(bytes, key))
        return index === 0 ? 'key' : 'former-key';
    return undefined;
  };
}

/** The check of each group of routes. */
export function keyChecks({ server, admin, details }: HttpKeys): Readonly<Record<RouteGroup, KeyCheck>> {
  const isServerKey = keyCheck(server);
  const isAdminKey = keyCheck(admin);
  const isDetailsKey = keyCheck(details);
  const forDetails: KeyCheck = (headers) => {
    const given = headers['x-api-key'] ?? headers['x-admin-api-key'] ?? fromAuthorization(headers.authorization);
    return isServerKey(given) ?? isAdminKey(given) ?? isDetailsKey(given);
  };
  return {
    plugin: (headers) => isServerKey(headers['x-api-key']),
    direct: (headers) => isServerKey(headers['x-api-key']),
    admin: (headers) => isAdminKey(headers['x-admin-api-key']),
    details: forDetails,
    probe: forDetails,
    public: () => undefined,
  };
}

/** `Bearer key`, as collectors send it, or the password of `Basic`, which browsers ask for. */
function fromAuthorization(value: string | undefined): string | undefined {
  const [scheme = '', text = ''] = (value ?? '').split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return text;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(text, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

export const unauthorized = (): DaemonError => new DaemonError('unauthorized', 'unauthorized');
