import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SettingsCipher } from '../backwards-invocation/index.ts';
import { type Database, newId, openDatabase, StoredDeclaration } from '../database/index.ts';
import { EndpointService } from './index.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';
const uidOf = (name: string): string => `acme/${name}:0.0.1@${'a'.repeat(64)}`;
const HOOKS = uidOf('hooks');

const setting = (name: string, type: string, over: object = {}): object => ({
  name,
  type,
  required: false,
  default: null,
  multiple: false,
  label: { en_US: name },
  ...over,
});
const group = {
  settings: [
    setting('api_key', 'secret-input', { required: true }),
    setting('mode', 'select', {
      options: [
        { value: 'a', label: { en_US: 'A' } },
        { value: 'b', label: { en_US: 'B' } },
      ],
    }),
  ],
  endpoints: [{ path: '/hello', method: 'GET', hidden: false }],
};

let directory: string;
let database: Database;
let asked: string[];
let failure: string | undefined;
/** Endpoints whose settings Dify refuses; `*` is all of them. */
let failing: Set<string>;
let warnings: string[];

const refused = () => new DaemonError('internal', 'wrong key', { remedy: 'Set the key of Dify' });

const cipher: SettingsCipher = {
  async encrypt({ data, endpointId }) {
    asked.push(`encrypt ${endpointId}`);
    if (failure === 'encrypt') throw new Error('request failed: no');
    if (failing.has('*')) throw refused();
    return data.api_key === undefined ? data : { ...data, api_key: `enc:${String(data.api_key)}` };
  },
  async decrypt({ data, endpointId }) {
    asked.push(`decrypt ${endpointId}`);
    if (failure === 'decrypt') throw new Error('request failed: no');
    if (failing.has(endpointId)) throw refused();
    return { ...data, api_key: String(data.api_key).replace('enc:', '') };
  },
  async clear({ endpointId }) {
    asked.push(`clear ${endpointId}`);
    if (failure === 'clear') throw new Error('down');
  },
};

const service = (lifetimeMs?: number) =>
  new EndpointService({
    database,
    cipher,
    newId,
    log: { warn: (_fields, message) => void warnings.push(message) },
    ...(lifetimeMs !== undefined && { lifetimeMs }),
  });

async function install(name: string, declaration: object, tenantId = TENANT): Promise<void> {
  const uid = uidOf(name);
  const json = JSON.stringify({ version: '0.0.1', name, author: 'acme', ...declaration });
  await database.lifecycle.installForTenant({
    tenantId,
    pluginId: `acme/${name}`,
    uniqueIdentifier: uid,
    installType: 'local',
    source: 'package',
    meta: {},
    declaration: new StoredDeclaration(uid, `acme/${name}`, json),
  });
  await database.declarations.insertIfAbsent(uid, `acme/${name}`, json);
}

const permitted = { resource: { memory: 1, permission: { endpoint: { enabled: true } } } };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'endpoints-'));
  database = await openDatabase({ type: 'sqlite', file: join(directory, 'db.sqlite') });
  asked = [];
  warnings = [];
  failure = undefined;
  failing = new Set();
  await install('hooks', { ...permitted, endpoint: group });
});
afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

const page = { page: 1, pageSize: 10 };
const add = async (
  endpoints: EndpointService,
  name = 'first',
  settings: object = { api_key: 'secret-1234567890', mode: 'b' },
) => {
  await endpoints.setup({ tenantId: TENANT, userId: 'u', identifier: HOOKS, name, settings: { ...settings } });
  const [newest] = await endpoints.list(TENANT, page);
  if (newest === undefined) throw new Error('the endpoint is missing');
  return newest;
};
const failureOf = async (run: Promise<unknown>): Promise<readonly [string, string]> => {
  const error: DaemonError = await run.then(
    () => expect.fail('it should have failed'),
    (thrown: unknown) => thrown as DaemonError,
  );
  return [error.kind, error.message];
};
const counters = async () => {
  const row = await database.installations.find(TENANT, 'acme/hooks');
  return [row?.endpoints_setups, row?.endpoints_active];
};

test('settings are encrypted under the new id before the row exists; lists mask secrets', async () => {
  const endpoints = service();
  const shown = await add(endpoints);
  expect(shown).toMatchObject({
    name: 'first',
    tenant_id: TENANT,
    user_id: 'u',
    plugin_id: 'acme/hooks',
    expired_at: '2050-01-01T00:00:00Z',
    enabled: true,
    settings: { api_key: 'se*************90', mode: 'b' },
  });
  expect(shown.hook_id).toMatch(/^[a-z0-9]{16}$/);
  expect(shown.declaration.endpoints).toEqual(group.endpoints);
  expect(shown.declaration.settings.map(({ name, scope, multiple }) => [name, scope, multiple])).toEqual([
    ['api_key', null, false],
    ['mode', null, false],
  ]);
  expect(asked[0]).toBe(`encrypt ${shown.id}`);
  expect((await database.endpoints.find(TENANT, shown.id))?.settings).toEqual({
    api_key: 'enc:secret-1234567890',
    mode: 'b',
  });
  expect(await counters()).toEqual([1, 1]);
});

test('a failed encryption leaves nothing behind', async () => {
  failure = 'encrypt';
  const endpoints = service();
  expect(await failureOf(add(endpoints))).toEqual(['internal', 'failed to encrypt settings: request failed: no']);
  expect(await endpoints.list(TENANT, page)).toEqual([]);
  expect(await counters()).toEqual([0, 0]);
});

test('set-up refuses in the order callers know', async () => {
  const endpoints = service();
  await install('silent', { resource: { memory: 1 }, endpoint: group });
  await install('model', permitted);
  const setup = (identifier: string, settings: object = {}) =>
    failureOf(endpoints.setup({ tenantId: TENANT, userId: 'u', identifier, name: 'n', settings: { ...settings } }));
  expect(await setup(uidOf('none'))).toEqual(['plugin-not-found', 'plugin not found']);
  expect(await setup(uidOf('silent'))).toEqual([
    'permission-denied',
    'permission denied, you need to enable endpoint access in plugin manifest',
  ]);
  expect(await setup(uidOf('model'))).toEqual(['bad-request', 'plugin does not have an endpoint']);
  expect(await setup(HOOKS)).toEqual(['bad-request', 'failed to validate settings: missing required setting: api_key']);
  expect(await setup(HOOKS, { api_key: 'k', mode: 'zzz' })).toEqual([
    'bad-request',
    'failed to validate settings: setting mode is not a valid option',
  ]);
  const foreign = endpoints.setup({ tenantId: OTHER, userId: 'u', identifier: HOOKS, name: 'n', settings: {} });
  expect(await failureOf(foreign)).toEqual(['plugin-not-found', 'plugin not found']);
  expect(asked).toEqual([]);
});

test('update keeps masked secrets, replaces the rest, and makes Dify forget', async () => {
  const endpoints = service();
  const { id, settings } = await add(endpoints);
  asked = [];
  const change = { tenantId: TENANT, userId: 'u2', endpointId: id, name: 'renamed' };
  await endpoints.update({ ...change, settings: { api_key: settings.api_key, mode: 'a' } });
  expect(asked).toEqual([`clear ${id}`, `decrypt ${id}`, `encrypt ${id}`, `clear ${id}`]);
  expect(await database.endpoints.find(TENANT, id)).toMatchObject({
    name: 'renamed',
    user_id: 'u',
    settings: { api_key: 'enc:secret-1234567890', mode: 'a' },
  });
  await endpoints.update({ ...change, settings: { api_key: 'new' } });
  expect((await endpoints.list(TENANT, page))[0]?.settings).toEqual({ api_key: '***' });
});

test('update names what is missing and what is wrong', async () => {
  const endpoints = service();
  const { id } = await add(endpoints);
  const update = (endpointId: string, settings: object = {}, tenantId = TENANT) =>
    failureOf(endpoints.update({ tenantId, userId: 'u', endpointId, name: 'n', settings: { ...settings } }));
  expect(await update('nope')).toEqual(['not-found', 'failed to find endpoint: record not found']);
  expect(await update(id, {}, OTHER)).toEqual(['not-found', 'failed to find endpoint: record not found']);
  expect(await update(id)).toEqual(['bad-request', 'failed to validate settings: missing required setting: api_key']);
  await uninstall();
  expect(await update(id)).toEqual(['not-found', 'failed to find plugin installation: record not found']);
});

const uninstall = async () => {
  const row = await database.installations.find(TENANT, 'acme/hooks');
  await database.lifecycle.uninstallFromTenant({ tenantId: TENANT, installationId: row?.id ?? '' });
};

test('a Dify that cannot forget does not fail the change', async () => {
  const endpoints = service();
  const { id } = await add(endpoints);
  failure = 'clear';
  await endpoints.update({ tenantId: TENANT, userId: 'u', endpointId: id, name: 'n', settings: { api_key: 'k' } });
  await endpoints.remove(TENANT, id);
  expect(warnings.length).toBeGreaterThan(0);
  expect(await endpoints.list(TENANT, page)).toEqual([]);
});

test('remove: the text for an absent one is what Dify takes for success', async () => {
  const endpoints = service();
  const { id } = await add(endpoints);
  await endpoints.remove(TENANT, id);
  expect(asked.at(-1)).toBe(`clear ${id}`);
  expect(await counters()).toEqual([0, 0]);
  expect(await failureOf(endpoints.remove(TENANT, id))).toEqual([
    'internal',
    'failed to remove endpoint: record not found',
  ]);
});

test('enable and disable are idempotent and counted', async () => {
  const endpoints = service();
  const { id } = await add(endpoints);
  await endpoints.setEnabled(TENANT, id, false);
  await endpoints.setEnabled(TENANT, id, false);
  expect(await counters()).toEqual([1, 0]);
  await endpoints.setEnabled(TENANT, id, true);
  expect(await counters()).toEqual([1, 1]);
  expect(await failureOf(endpoints.setEnabled(TENANT, 'nope', true))).toEqual(['not-found', 'endpoint not found']);
});

test('an endpoint outlives its plugin: listed empty, removable, counted again when the plugin is back', async () => {
  const endpoints = service();
  const { id } = await add(endpoints);
  await uninstall();
  expect((await endpoints.list(TENANT, page))[0]).toMatchObject({
    id,
    settings: {},
    declaration: { settings: [], endpoints: [] },
  });
  expect(await failureOf(endpoints.listByPlugin(TENANT, 'acme/hooks', page))).toEqual([
    'not-found',
    'failed to find plugin installation: record not found',
  ]);
  await endpoints.setEnabled(TENANT, id, false);
  await install('hooks', { ...permitted, endpoint: group });
  await endpoints.setEnabled(TENANT, id, true);
  expect(await counters()).toEqual([1, 1]);
  await uninstall();
  await endpoints.remove(TENANT, id);
  expect(await endpoints.listByPlugin(TENANT, 'acme/hooks', page)).toEqual([]);
});

test('lists are newest first, paged, and ask Dify once for each endpoint while it is fresh', async () => {
  const endpoints = service();
  for (const name of ['a', 'b', 'c']) {
    await add(endpoints, name);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  asked = [];
  const names = async (p: { page: number; pageSize: number }) => (await endpoints.list(TENANT, p)).map((e) => e.name);
  expect(await names(page)).toEqual(['c', 'b', 'a']);
  expect(await names({ page: 2, pageSize: 2 })).toEqual(['a']);
  expect((await endpoints.listByPlugin(TENANT, 'acme/hooks', page)).map((e) => e.name)).toEqual(['c', 'b', 'a']);
  expect(asked).toEqual([]);
  expect(await endpoints.list(OTHER, page)).toEqual([]);
});

test('webhooks get settings in the clear: remembered briefly, asked for once at a time, dropped on change', async () => {
  const endpoints = service(50);
  const { id } = await add(endpoints);
  const row = async () => {
    const record = await database.endpoints.find(TENANT, id);
    if (record === undefined) throw new Error('the endpoint is missing');
    return record;
  };
  const declared = (await endpoints.list(TENANT, page))[0]?.declaration ?? { settings: [], endpoints: [] };
  await new Promise((resolve) => setTimeout(resolve, 60));
  asked = [];
  const record = await row();
  const together = await Promise.all(Array.from({ length: 20 }, () => endpoints.settingsFor(record, declared)));
  expect(together[0]).toEqual({ api_key: 'secret-1234567890', mode: 'b' });
  expect(asked).toEqual([`decrypt ${id}`]);
  await endpoints.update({ tenantId: TENANT, userId: 'u', endpointId: id, name: 'n', settings: { api_key: 'other' } });
  expect(await endpoints.settingsFor(await row(), declared)).toEqual({ api_key: 'other' });
  asked = [];
  await new Promise((resolve) => setTimeout(resolve, 60));
  failure = 'decrypt';
  await expect(endpoints.settingsFor(await row(), declared)).rejects.toThrow('request failed');
  failure = undefined;
  failing = new Set();
  expect(await endpoints.settingsFor(await row(), declared)).toEqual({ api_key: 'other' });
  expect(asked).toHaveLength(2);
});

test('settings without secrets are nobody else’s business', async () => {
  await install('plain', { ...permitted, endpoint: { settings: [setting('mode', 'text-input')], endpoints: [] } });
  const endpoints = service();
  await endpoints.setup({
    tenantId: TENANT,
    userId: 'u',
    identifier: uidOf('plain'),
    name: 'n',
    settings: { mode: 'x' },
  });
  asked = [];
  const [shown] = await endpoints.list(TENANT, page);
  expect(shown?.settings).toMatchObject({ mode: 'x' });
  await endpoints.remove(TENANT, shown?.id ?? '');
  expect(asked).toEqual([]);
});

test('one endpoint that cannot be decrypted is shown without its secrets and with the reason; the others as ever', async () => {
  const endpoints = service(0);
  const broken = await add(endpoints, 'broken');
  const well = await add(endpoints, 'well');
  failing.add(broken.id);
  const [second, first] = await endpoints.list(TENANT, page);
  expect(second).toEqual(well);
  expect(first).toMatchObject({ id: broken.id, settings: { mode: 'b' }, declaration: { endpoints: group.endpoints } });
  expect(first?.settings).not.toHaveProperty('api_key');
  expect(first?.problem).toBe('failed to decrypt settings: wrong key. Set the key of Dify');
  expect((await endpoints.listByPlugin(TENANT, 'acme/hooks', page)).map(({ problem }) => typeof problem)).toEqual([
    'undefined',
    'string',
  ]);
  expect(warnings).toContain('the settings of an endpoint cannot be decrypted');
});

test('such an endpoint takes new settings, refuses secrets as they were shown, and can be removed', async () => {
  const endpoints = service(0);
  const { id } = await add(endpoints);
  failing.add(id);
  const update = (settings: Record<string, unknown>) =>
    endpoints.update({ tenantId: TENANT, userId: 'u', endpointId: id, name: 'again', settings });
  for (const shown of ['se*************90', '******'])
    await expect(update({ api_key: shown })).rejects.toMatchObject({
      kind: 'bad-request',
      message: expect.stringContaining('the stored value of api_key cannot be kept'),
      remedy: 'Enter api_key anew',
    });
  await expect(update({})).rejects.toMatchObject({ message: expect.stringContaining('missing required setting') });
  await update({ api_key: 'another secret' });
  failing.delete(id);
  const [shown] = await endpoints.list(TENANT, page);
  expect(shown).toMatchObject({ name: 'again', settings: { api_key: 'an**********et' } });
  expect(shown).not.toHaveProperty('problem');
  failing.add(id);
  await endpoints.remove(TENANT, id);
  expect(await endpoints.list(TENANT, page)).toEqual([]);
});

test('a plugin that was upgraded to a version without endpoints leaves orphans, and no other list breaks', async () => {
  const endpoints = service();
  const orphan = await add(endpoints, 'orphan');
  await install('other', { ...permitted, endpoint: group });
  await endpoints.setup({
    tenantId: TENANT,
    userId: 'u',
    identifier: uidOf('other'),
    name: 'other',
    settings: { api_key: 'x' },
  });
  const json = JSON.stringify({ version: '0.0.2', name: 'hooks', author: 'acme', ...permitted });
  const next = HOOKS.replace('0.0.1', '0.0.2');
  await database.lifecycle.upgradeForTenant({
    tenantId: TENANT,
    originalIdentifier: HOOKS,
    newIdentifier: next,
    newDeclaration: new StoredDeclaration(next, 'acme/hooks', json),
    installType: 'local',
    source: 'package',
    meta: {},
  });
  await database.declarations.insertIfAbsent(next, 'acme/hooks', json);
  const [other, first] = await endpoints.list(TENANT, page);
  expect(other).toMatchObject({ name: 'other', settings: { api_key: '*' } });
  const empty = { settings: {}, declaration: { settings: [], endpoints: [] } };
  expect(first).toMatchObject({ id: orphan.id, ...empty, problem: expect.stringContaining('no endpoints') });
  expect(await endpoints.listByPlugin(TENANT, 'acme/hooks', page)).toMatchObject([empty]);
  await endpoints.setEnabled(TENANT, orphan.id, false);
  await endpoints.remove(TENANT, orphan.id);
  expect(await endpoints.list(TENANT, page)).toHaveLength(1);
});

test('a declaration that is missing or cannot be read makes orphans as well', async () => {
  const endpoints = service();
  await add(endpoints);
  await database.declarations.delete(HOOKS);
  expect((await endpoints.list(TENANT, page))[0]?.problem).toContain('declaration of the plugin is missing');
  await database.declarations.insertIfAbsent(HOOKS, 'acme/hooks', '{"resource":7,"endpoint":"nonsense"}');
  expect(await endpoints.list(TENANT, page)).toHaveLength(1);
});

test('what Dify said to do about a failure is passed on', async () => {
  const endpoints = service();
  failing.add('*');
  const setup = { tenantId: TENANT, userId: 'u', identifier: HOOKS, name: 'n', settings: { api_key: 'x' } };
  await expect(endpoints.setup(setup)).rejects.toMatchObject({
    wireMessage: 'failed to encrypt settings: wrong key. Set the key of Dify',
  });
});

test.each([
  [1, true],
  [0, false],
  ['1', true],
  ['False', false],
  [true, true],
])('a boolean sent as %j is %j', async (sent, stored) => {
  await install('flags', { ...permitted, endpoint: { settings: [setting('on', 'boolean', { required: true })] } });
  const endpoints = service();
  const setup = (on: unknown) =>
    endpoints.setup({ tenantId: TENANT, userId: 'u', identifier: uidOf('flags'), name: 'n', settings: { on } });
  await setup(sent);
  const [shown] = await endpoints.list(TENANT, page);
  expect(shown?.settings).toEqual({ on: stored });
  await endpoints.update({
    tenantId: TENANT,
    userId: 'u',
    endpointId: shown?.id ?? '',
    name: 'n',
    settings: { on: 1 },
  });
  expect((await endpoints.list(TENANT, page))[0]?.settings).toEqual({ on: true });
  for (const odd of [2, -1, 'yes', '', {}, []])
    await expect(setup(odd)).rejects.toMatchObject({ message: expect.stringContaining('on is not a boolean') });
});
