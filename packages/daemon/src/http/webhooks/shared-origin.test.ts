import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { confined, difyCookies, droppedHeaders, hookPathOf, proxyOrders, safeguards } from './shared-origin.ts';

const policy = { shared: true, sandbox: 'allow-scripts' };
const own = { shared: false, sandbox: 'allow-scripts' };
const HOOK = '/e/abcdefgh12345678';
const cookies = (...given: string[]) => confined([['set-cookie', given]], policy, HOOK)[0]?.[1] ?? [];

test.each([
  ['a=1', `a=1; Path=${HOOK}`],
  ['a=1; Path=/', `a=1; Path=${HOOK}`],
  ['a=1; path=/; PATH=/e', `a=1; Path=${HOOK}`],
  [`a=1; Path=${HOOK}/admin`, `a=1; Path=${HOOK}/admin`],
  [`a=1; Path=${HOOK}x`, `a=1; Path=${HOOK}`],
  [`a=1; Path=/e/other; Path=${HOOK}`, `a=1; Path=${HOOK}`],
  ['a=1; Domain=example.com; Secure; HttpOnly; SameSite=Lax', `a=1; Secure; HttpOnly; SameSite=Lax; Path=${HOOK}`],
  ['a=1 ; domain = .example.com ; Max-Age=5;;', `a=1; Max-Age=5; Path=${HOOK}`],
  ['__Secure-a=x=y; Secure', `__Secure-a=x=y; Secure; Path=${HOOK}`],
])('the cookie %j becomes %j', (given, sent) => {
  expect(cookies(given)).toEqual([sent]);
});

test.each(['__Host-session=1; Secure; Path=/', '__HOST-x=1', '=nameless', 'nameless', '=__Host-a=1', ''])(
  'the cookie %j cannot be held below a hook',
  (given) => {
    expect(cookies(given)).toEqual([]);
  },
);

test('headers that act on the whole origin, or on the proxy in front, are left out; others stay', () => {
  const risky = [...Object.keys(droppedHeaders), ...Object.keys(proxyOrders)];
  const kept = ['Access-Control-Allow-Origin', 'Cache-Control', 'Location', 'X-Accel-Buffering', 'WWW-Authenticate'];
  const fields = [...risky.map((name) => name.toUpperCase()), ...kept].map((name) => [name, 'x'] as const);
  expect(confined(fields, policy, HOOK).map(([name]) => name)).toEqual(kept);
  // With a host name of its own, a hook may do what it likes with it, but not with the proxy.
  expect(confined(fields, own, HOOK)).toHaveLength(Object.keys(droppedHeaders).length + kept.length);
  expect(confined([['Set-Cookie', 'a=1; Path=/']], own, HOOK)).toEqual([['Set-Cookie', 'a=1; Path=/']]);
});

test.each([
  'text/html',
  'TEXT/HTML; charset=utf-8',
  ' text/html',
  'application/xhtml+xml',
  'image/svg+xml',
  'text/xml',
  'application/xml',
  'multipart/x-mixed-replace; boundary=x',
  'text/plain, text/html',
  'text/plainx',
  'something/new',
  '',
])('a document of type %j is sandboxed', (type) => {
  const fields = new Map(safeguards(policy, type, ["default-src 'self'"]));
  expect(fields.get('X-Content-Type-Options')).toBe('nosniff');
  expect(fields.get('Content-Security-Policy')).toEqual(["default-src 'self'", 'sandbox allow-scripts']);
});

test.each(['text/plain; charset=utf-8', 'application/json', 'application/pdf', 'image/png', 'text/event-stream'])(
  'what is %s is no document with scripts, and is not guessed to be one',
  (type) => {
    expect(safeguards(policy, type, [])).toEqual([['X-Content-Type-Options', 'nosniff']]);
  },
);

test('several types at once are the worst of them; nothing is added on an origin of its own or without a body', () => {
  expect(safeguards(policy, ['text/plain', 'text/html'], [])).toHaveLength(2);
  expect(safeguards({ ...policy, sandbox: undefined }, 'text/html', [])).toHaveLength(1);
  expect(safeguards(policy, undefined, [])).toHaveLength(1);
  expect(safeguards(own, 'text/html', [])).toEqual([]);
});

test('a proxy may serve hooks below another path; only a path that names the hook is believed', () => {
  const id = 'abcdefgh12345678';
  expect(hookPathOf(id, undefined)).toBe(HOOK);
  expect(hookPathOf(id, `https://dify.example${HOOK}/a/b`)).toBe(HOOK);
  expect(hookPathOf(id, `https://dify.example/dify${HOOK}`)).toBe(`/dify${HOOK}`);
  for (const odd of ['nonsense', 'https://x/', `https://x${HOOK}9/`, `https://x/;%20${HOOK}/`, 'https://x/e/other/'])
    expect(hookPathOf(id, odd)).toBe(HOOK);
});

test('the cookies of Dify itself are known with and without their prefix', () => {
  for (const name of ['access_token', '__Host-access_token', 'csrf_token', 'refresh_token', 'passport-abc'])
    expect(difyCookies.test(name)).toBe(true);
  for (const name of ['session', 'my_access_token', 'access_token2']) expect(difyCookies.test(name)).toBe(false);
});

test('every header that is left out is told with its reason', () => {
  const document = readFileSync(new URL('../../../../../docs/webhooks.md', import.meta.url), 'utf8').toLowerCase();
  for (const [name, reason] of Object.entries({ ...droppedHeaders, ...proxyOrders })) {
    expect(document).toContain(`\`${name}\``);
    expect(document).toContain(reason.toLowerCase());
  }
});
