/** The head of the HTTP/1.1 request that an endpoint plugin gets (docs/wire/http-api.md#webhooks). Pure. */

export interface RawRequest {
  readonly method: string;
  /** As the client sent it, `/e/{hook}` included; in absolute form it names the host as well. */
  readonly target: string;
  readonly httpVersion: string;
  /** Names and values in turn, as received, one character per byte. */
  readonly rawHeaders: readonly string[];
  /** Of the body that follows, in bytes. */
  readonly bodySize: number;
  readonly hookId: string;
  /** The connection to the daemon itself is TLS. */
  readonly secure: boolean;
  /** Cookies of other services on the same host, which are none of the plugin's business. */
  readonly hiddenCookies?: RegExp | undefined;
  /** Stands in for the Host of a client that sent none (HTTP/1.0). */
  readonly fallbackHost: string;
}

/** Traces of the client's address and of the proxies in front: never shown to plugins. */
const removed: ReadonlySet<string> = new Set([
  'X-Forwarded-For',
  'X-Real-Ip',
  'X-Forwarded',
  'X-Original-Forwarded-For',
  'X-Original-Url',
  'X-Original-Host',
]);

/** Written at the head, or not at all: the body is whole, so its framing is ours. */
const ownPlace: ReadonlySet<string> = new Set([
  'Host',
  'User-Agent',
  'Content-Length',
  'Transfer-Encoding',
  'Trailer',
  'Dify-Hook-Id',
]);

const withBody: ReadonlySet<string> = new Set(['POST', 'PUT']);

/** @returns everything up to the body, the empty line included */
export function rawHead(request: RawRequest): Buffer {
  const headers = collect(request.rawHeaders);
  if (request.hiddenCookies !== undefined) hideCookies(headers, request.hiddenCookies);
  const first = (name: string): string => headers.get(name)?.[0] ?? '';
  const { authority, target: origin } = originForm(request.target);
  // A target in absolute form counts more than the Host beside it (RFC 9112 section 3.2.2).
  const host = first('X-Original-Host') || authority || first('Host') || request.fallbackHost;
  const target = webhookTarget(origin);

  const lines = [`${request.method} ${target} HTTP/1.1`, `Host: ${host}`];
  const agent = headers.get('User-Agent')?.[0] ?? 'Go-http-client/1.1';
  if (agent !== '') lines.push(`User-Agent: ${agent}`);
  if (closesByDefault(request.httpVersion, headers)) lines.push('Connection: close');
  if (request.bodySize > 0 || withBody.has(request.method)) lines.push(`Content-Length: ${request.bodySize}`);

  headers.set('Dify-Hook-Id', [request.hookId]);
  if (first('Dify-Hook-Url') === '') {
    const scheme = request.secure || first('X-Forwarded-Proto') === 'https' ? 'https' : 'http';
    headers.set('Dify-Hook-Url', [`${scheme}://${host}/e/${request.hookId}${decodedPath(target)}`]);
  }
  for (const name of [...headers.keys()].sort()) {
    if (removed.has(name) || (ownPlace.has(name) && name !== 'Dify-Hook-Id')) continue;
    for (const value of headers.get(name) ?? []) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.map(oneLine).join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A target without scheme and authority, which clients that take the daemon for a proxy send. */
export function originForm(target: string): { readonly authority: string; readonly target: string } {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(target);
  if (absolute === null) return { authority: '', target };
  const rest = target.slice(absolute[0].length);
  const authority = (absolute[1] ?? '').replace(/^.*@/, '');
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/**
 * What follows `/e/{hook}`, byte for byte, so that signatures over the URL verify (docs/wire/http-api.md#webhooks); `/` when nothing
 * follows.
 */
export function webhookTarget(target: string): string {
  const prefixEnd = target.indexOf('/', 1);
  const rest = /[/?]/.exec(target.slice(prefixEnd + 1));
  if (prefixEnd < 0 || rest === null) return '/';
  const after = target.slice(prefixEnd + 1 + rest.index);
  return safeTarget(after.startsWith('?') ? `/${after}` : after);
}

/** Plugins decode the target as UTF-8; other bytes are escaped, which names the same resource. */
function safeTarget(target: string): string {
  if (/^[\x21-\x7e]*$/.test(target)) return target;
  const bytes = Buffer.from(target, 'latin1');
  const valid = bytes.equals(Buffer.from(bytes.toString('utf8'), 'utf8'));
  return target.replace(/[^\x21-\x7e]/g, (c) =>
    valid && c >= '\x80' ? c : `%${(c.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Decoded and without query: what plugins have always been shown in Dify-Hook-Url. One character per byte. */
function decodedPath(target: string): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** By canonical name, values in their order. */
function collect(rawHeaders: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = canonicalName(rawHeaders[i] ?? '');
    const value = (rawHeaders[i + 1] ?? '').trim();
    const known = headers.get(name);
    if (known === undefined) headers.set(name, [value]);
    else known.push(value);
  }
  return headers;
}

function hideCookies(headers: Map<string, string[]>, hidden: RegExp): void {
  const lines = headers.get('Cookie');
  if (lines === undefined) return;
  const kept = lines
    .map((line) => {
      const pairs = line.split(';');
      const shown = pairs.filter((pair) => !hidden.test((pair.split('=', 1)[0] ?? '').trim()));
      return shown.length === pairs.length ? line : shown.join(';').trim();
    })
    .filter((line) => line !== '');
  if (kept.length > 0) headers.set('Cookie', kept);
  else headers.delete('Cookie');
}

/** `x-a` → `X-A`. */
export const canonicalName = (name: string): string =>
  name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());

function closesByDefault(httpVersion: string, headers: ReadonlyMap<string, readonly string[]>): boolean {
  if (httpVersion !== '1.0') return false;
  const tokens = (headers.get('Connection') ?? [])
    .flatMap((value) => value.split(','))
    .map((t) => t.trim().toLowerCase());
  return !tokens.includes('keep-alive') && !tokens.includes('close');
}

/** No value can begin a line of its own. */
const oneLine = (line: string): string => line.replace(/[\r\n\0]/g, ' ');
