/** The description against a daemon at work: what it serves is the committed document, and its answers are as described. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonClient, DaemonProcess, folderPackage } from '@plugin-daemon/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describedRoutes, openApiDocument } from '../src/http/openapi/index.ts';
import { Checker } from '../src/http/openapi/testing.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TENANT = '00000000-0000-4000-8000-000000000001';
const P = `/plugin/${TENANT}`;
const PAGE = 'page=1&page_size=10';
const ADMIN = 'admin-key-of-this-test';
const TOOL = 'examples/text_report';

/** The tag of what is served only where plugins run as functions. */
const SERVERLESS_ONLY = 'Functions';

const document = openApiDocument(describedRoutes());
const checker = new Checker(document);
let daemon: DaemonProcess;
let client: DaemonClient;
let identifier: string;

beforeAll(async () => {
  daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'inner' },
    settings: { ADMIN_API_ENABLED: 'true', ADMIN_API_KEY: ADMIN },
  });
  client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const uploaded = await client.upload(folderPackage(join(ROOT, 'examples/tool-text-report')));
  identifier = uploaded.unique_identifier;
  await client.install(identifier);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await daemon.close();
});

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends it and says what of the answer is not described. */
async function exchange({
  method = 'GET',
  path,
  body,
  headers,
}: Sent): Promise<{ status: number; problems: readonly string[] }> {
  const answer = await fetch(daemon.url + path, {
    method,
    headers: { 'X-Api-Key': daemon.key, 'Content-Type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const received = {
    method,
    path,
    status: answer.status,
    contentType: answer.headers.get('content-type') ?? '',
    body: await answer.text(),
  };
  return { status: answer.status, problems: checker.problems(received) };
}

const isOfThisPlatform = ([, operations]: [string, Readonly<Record<string, { readonly tags: readonly string[] }>>]) =>
  !Object.values(operations).some(({ tags }) => tags.includes(SERVERLESS_ONLY));

test('the daemon serves the document that is committed', async () => {
  const answer = await fetch(`${daemon.url}/openapi.json`);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const served: typeof document = JSON.parse(await answer.text());
  const committed: typeof document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'));
  // The order of the tables is the page's order, and only that. What only the serverless platform has is in the committed one alone.
  const comparable = (each: typeof document) => ({
    ...each,
    paths: Object.fromEntries(Object.entries(each.paths).filter(isOfThisPlatform).sort()),
    tags: each.tags.filter(({ name }) => name !== SERVERLESS_ONLY),
  });
  expect(comparable(served)).toEqual(comparable(committed));
  expect(served.tags.map(({ name }) => name)).not.toContain(SERVERLESS_ONLY);
});

test('the page is complete in itself', async () => {
  const answer = await fetch(`${daemon.url}/docs`);
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(text).toContain('fetch(');
  expect(text).not.toMatch(/(?:src|href)="?https?:|import\s*\(/);
});

const dispatched = {
  user_id: 'u',
  data: { provider: 'text_report', tool: 'report', tool_parameters: { text: 'a b', top: 1 }, credentials: {} },
};

test.each<[string, number, () => Sent]>([
  ['health', 200, () => ({ path: '/health/check' })],
  ['liveness', 200, () => ({ path: '/livez' })],
  ['readiness', 200, () => ({ path: '/readyz' })],
  ['metrics', 200, () => ({ path: '/metrics/' })],
  ['installations', 200, () => ({ path: `${P}/management/list?${PAGE}` })],
  ['no page', 400, () => ({ path: `${P}/management/list` })],
  ['no key', 401, () => ({ path: `${P}/management/list?${PAGE}`, headers: { 'X-Api-Key': '' } })],
  ['a tenant that is no UUID', 200, () => ({ path: `/plugin/x/management/list?${PAGE}` })],
  ['a category', 200, () => ({ path: `${P}/management/tool/list?${PAGE}` })],
  ['an unknown category', 200, () => ({ path: `${P}/management/fruit/list?${PAGE}` })],
  ['ids of a category', 200, () => ({ path: `${P}/management/installation/ids?category=tool` })],
  ['tools', 200, () => ({ path: `${P}/management/tools?${PAGE}` })],
  ['a tool', 200, () => ({ path: `${P}/management/tool?plugin_id=${TOOL}&provider=text_report` })],
  ['a tool that is not there', 200, () => ({ path: `${P}/management/tool?plugin_id=a/b&provider=c` })],
  ['models', 200, () => ({ path: `${P}/management/models?${PAGE}` })],
  ['bindings', 200, () => ({ path: `${P}/management/models/bindings` })],
  ['tasks', 200, () => ({ path: `${P}/management/install/tasks?${PAGE}` })],
  [
    'a manifest',
    200,
    () => ({ path: `${P}/management/fetch/manifest?plugin_unique_identifier=${encodeURIComponent(identifier)}` }),
  ],
  [
    'a decoded package',
    200,
    () => ({
      path: `${P}/management/decode/from_identifier?plugin_unique_identifier=${encodeURIComponent(identifier)}`,
    }),
  ],
  [
    'a readme',
    200,
    () => ({
      path: `${P}/management/fetch/readme?plugin_unique_identifier=${encodeURIComponent(identifier)}&language=en_US`,
    }),
  ],
  [
    'existence',
    200,
    () => ({ path: `${P}/management/fetch/identifier?plugin_unique_identifier=${encodeURIComponent(identifier)}` }),
  ],
  ['extraction', 200, () => ({ path: '/v2/invoke/extract', headers: { 'X-Plugin-Unique-Identifier': identifier } })],
  ['extraction of nothing', 400, () => ({ path: '/v2/invoke/extract' })],
  [
    'a batch',
    200,
    () => ({ method: 'POST', path: `${P}/management/installation/fetch/batch`, body: { plugin_ids: [TOOL] } }),
  ],
  [
    'missing ones',
    200,
    () => ({
      method: 'POST',
      path: `${P}/management/installation/missing`,
      body: { plugin_unique_identifiers: [identifier] },
    }),
  ],
  [
    'installing again',
    200,
    () => ({
      method: 'POST',
      path: `${P}/management/install/identifiers`,
      body: { plugin_unique_identifiers: [identifier], source: 'package', metas: [{}] },
    }),
  ],
  [
    'installing nonsense',
    400,
    () => ({ method: 'POST', path: `${P}/management/install/identifiers`, body: { source: 'fruit' } }),
  ],
  [
    'an upload that is none',
    200,
    () => ({ method: 'POST', path: `${P}/management/install/upload/package`, body: 'x' }),
  ],
  ['endpoints', 200, () => ({ path: `${P}/endpoint/list?${PAGE}` })],
  ['enabling nothing', 200, () => ({ method: 'POST', path: `${P}/endpoint/enable`, body: { endpoint_id: TENANT } })],
  ['a debugging key', 200, () => ({ method: 'POST', path: `${P}/debugging/key` })],
  ['an unknown asset', 404, () => ({ path: `${P}/asset/nothing` })],
  ['an unknown hook', 404, () => ({ path: '/e/nothing/x' })],
  [
    'a tool at work',
    200,
    () => ({ method: 'POST', path: `${P}/dispatch/tool/invoke`, body: dispatched, headers: { 'X-Plugin-ID': TOOL } }),
  ],
  [
    'a tool without its plugin',
    404,
    () => ({ method: 'POST', path: `${P}/dispatch/tool/invoke`, body: dispatched, headers: { 'X-Plugin-ID': 'a/b' } }),
  ],
  [
    'a direct call',
    200,
    () => ({
      method: 'POST',
      path: '/v2/invoke/dispatch/tool/invoke',
      body: { tenant_id: TENANT, ...dispatched },
      headers: { 'X-Plugin-Unique-Identifier': identifier },
    }),
  ],
  [
    'credentials',
    200,
    () => ({
      method: 'POST',
      path: `${P}/dispatch/tool/validate_credentials`,
      body: { data: { provider: 'text_report', credentials: {} } },
      headers: { 'X-Plugin-ID': TOOL },
    }),
  ],
  [
    'a question for another plugin',
    200,
    () => ({
      method: 'POST',
      path: `${P}/dispatch/tool/validate_credentials`,
      body: { data: { provider: 'other', credentials: {} } },
      headers: { 'X-Plugin-ID': TOOL },
    }),
  ],
  [
    'an empty question',
    400,
    () => ({ method: 'POST', path: `${P}/dispatch/llm/invoke`, body: {}, headers: { 'X-Plugin-ID': TOOL } }),
  ],
  [
    'reinstalling',
    200,
    () => ({
      method: 'POST',
      path: '/admin/plugin/serverless/reinstall',
      body: { plugin_unique_identifier: identifier },
      headers: { 'X-Admin-Api-Key': ADMIN },
    }),
  ],
  ['the document itself', 200, () => ({ path: '/openapi.json' })],
])('%s is answered as described, with %i', async (_what, status, sent) => {
  const answer = await exchange(sent());
  expect(answer).toEqual({ status, problems: [] });
});

test('the answers were validated, not only looked up', () => {
  expect(checker.validated).toBeGreaterThan(35);
});

test('what is not as described is found', () => {
  const answer = { method: 'GET', path: `${P}/management/list?${PAGE}`, status: 200, contentType: 'application/json' };
  expect(checker.problems({ ...answer, body: '{"code":0,"message":"success","data":[]}' })).toHaveLength(1);
  expect(checker.problems({ ...answer, status: 302, body: '{}' })).toEqual(['the status 302 is not described']);
  expect(checker.problems({ ...answer, path: '/fruit', body: '{}' })).toEqual(['the route is not described']);
  expect(checker.problems({ ...answer, contentType: 'text/css', body: 'x' })).toEqual([
    'answers of type text/css are not described',
  ]);
});
