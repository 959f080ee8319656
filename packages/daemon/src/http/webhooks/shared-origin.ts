/**
 * All hooks of all tenants are served from one origin, and often Dify's console from the same host. Here stands, header by header,
 * what an answer of a plugin may do to browsers beyond itself.
 */

export interface OriginPolicy {
  /** All hooks share an origin; false when each has a host name of its own. */
  readonly shared: boolean;
  /** Tokens of the CSP directive `sandbox`; undefined: documents are not sandboxed. */
  readonly sandbox: string | undefined;
}

type Field = readonly [name: string, value: string | string[]];

/** Left out: they act on the whole origin or host, or on what stands in front of it. The reasons are told in docs/webhooks.md. */
export const droppedHeaders: Readonly<Record<string, string>> = {
  'service-worker-allowed': 'lets a service worker control the paths of other hooks',
  'clear-site-data': 'empties cookies, storage and caches of the whole origin',
  'strict-transport-security': 'binds the host, with subdomains if it says so, to HTTPS for as long as it likes',
  'public-key-pins': 'binds the host to keys for as long as it likes',
  'public-key-pins-report-only': 'reports connections of the whole host',
  'expect-ct': 'binds the host',
  'expect-staple': 'binds the host',
  'alt-svc': 'sends browsers of the whole origin to another server',
  'report-to': 'makes a place for reports known for the whole origin',
  nel: 'reports requests of the whole origin, also those of other hooks',
  'accept-ch': 'asks for client hints on the whole origin',
  'accept-ch-lifetime': 'asks for client hints on the whole origin',
  'critical-ch': 'asks for client hints on the whole origin',
  'origin-agent-cluster': 'decides for every document of the origin',
  'set-login': 'tells the browser that its user is signed in to the origin',
  'set-cookie2': 'an obsolete way to set cookies',
  'use-as-dictionary': 'is used for answers of other paths',
  'sec-session-registration': 'starts a session of the whole site',
  'secure-session-registration': 'starts a session of the whole site',
  'sec-session-challenge': 'takes part in a session of the whole site',
  'secure-session-challenge': 'takes part in a session of the whole site',
  'attribution-reporting-register-source': 'registers for the whole site',
  'attribution-reporting-register-trigger': 'registers for the whole site',
  'x-permitted-cross-domain-policies': 'speaks for the whole host',
};

/** Left out on every origin: orders to the reverse proxy in front, not to the caller. */
export const proxyOrders: Readonly<Record<string, string>> = {
  'x-accel-redirect': 'makes nginx serve another, internal location',
  'x-sendfile': 'makes the web server send a file of its own',
  'x-lighttpd-send-file': 'makes the web server send a file of its own',
  'x-reproxy-url': 'makes the proxy fetch another address',
  'x-litespeed-location': 'makes the web server serve another location',
  'x-litespeed-purge': 'empties the cache of the whole site',
};

/** The cookies of Dify's console and web apps; see docs/webhooks.md. */
export const difyCookies =
  /^(?:__Host-|__Secure-)?(?:access_token|refresh_token|csrf_token|webapp_access_token|passport(?:-.*)?)$/i;

/** Media types that no browser takes for a document with scripts, as long as it does not guess. Others are sandboxed. */
const passive =
  /^\s*(?:text\/(?:plain|csv|event-stream|css|javascript)|application\/(?:json|x-ndjson|javascript|octet-stream|pdf|zip|gzip|wasm|problem\+json)|image\/(?!svg)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|font\/[\w.+-]+)\s*(?:;|$)/i;

/**
 * The headers of a plugin's answer as they may leave.
 * @param hookPath the path of the hook as browsers see it, without a slash at its end
 */
export function confined(fields: readonly Field[], policy: OriginPolicy, hookPath: string): readonly Field[] {
  const kept: Field[] = [];
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (Object.hasOwn(proxyOrders, key)) continue;
    if (!policy.shared) kept.push([name, value]);
    else if (key === 'set-cookie') {
      const cookies = [value].flat().flatMap((cookie) => scopedCookie(cookie, hookPath) ?? []);
      if (cookies.length > 0) kept.push([name, cookies]);
    } else if (!Object.hasOwn(droppedHeaders, key)) kept.push([name, value]);
  }
  return kept;
}

/**
 * What is added to an answer.
 * @param contentType as it will be sent; several values when the plugin gave several
 * @param ownPolicy the plugin's Content-Security-Policy, which goes on to hold
 */
export function safeguards(
  policy: OriginPolicy,
  contentType: string | readonly string[] | undefined,
  ownPolicy: readonly string[],
): readonly Field[] {
  if (!policy.shared) return [];
  const fields: Field[] = [['X-Content-Type-Options', 'nosniff']];
  const isPassive = typeof contentType === 'string' && passive.test(contentType) && !contentType.includes(',');
  // Of several policies each must allow what a document does, so the plugin's own cannot lift this one.
  if (policy.sandbox !== undefined && contentType !== undefined && !isPassive)
    fields.push(['Content-Security-Policy', [...ownPolicy, `sandbox ${policy.sandbox}`.trim()]]);
  return fields;
}

/** A cookie for the hook's own path and host; undefined for one that cannot be held there. */
function scopedCookie(text: string, hookPath: string): string | undefined {
  const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf('=')).trim();
  // `__Host-` needs the path `/`. One without a name is sent as if its value were name and value.
  if (!pair.includes('=') || name === '' || /^__Host-/i.test(name)) return undefined;
  let path = hookPath;
  const others = attributes.filter((attribute) => {
    const [key = '', value = ''] = attribute.split('=').map((part) => part.trim());
    if (key.toLowerCase() === 'path') path = value === hookPath || value.startsWith(`${hookPath}/`) ? value : hookPath;
    return !['path', 'domain', ''].includes(key.toLowerCase());
  });
  return [pair, ...others, `Path=${path}`].join('; ');
}

/**
 * The path of a hook as browsers see it: a proxy in front may serve it below another path, which it tells in Dify-Hook-Url.
 * @param hookUrl that header, if it was sent
 */
export function hookPathOf(hookId: string, hookUrl: string | undefined): string {
  const own = `/e/${hookId}`;
  if (hookUrl === undefined || !URL.canParse(hookUrl)) return own;
  const { pathname } = new URL(hookUrl);
  const at = pathname.indexOf(own);
  const end = at + own.length;
  const isWhole = at >= 0 && (end === pathname.length || pathname[end] === '/');
  return isWhole && /^[\w./~-]*$/.test(pathname.slice(0, at)) ? pathname.slice(0, end) : own;
}
