import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, OTHER_TENANT, openHarness, TENANT, until } from '../../installation/testing/harness.ts';
import { type TestPackage, testBundle, testPackage } from '../../installation/testing/packages.ts';
import { assetRoutes } from '../assets/index.ts';
import { createHttpServer } from '../server.ts';
import type { HttpServer } from '../server-options.ts';
import { managementRoutes } from './index.ts';

const LIMIT = 256 * 1024;
let at: Harness;
let server: HttpServer;
let origin: string;

beforeAll(async () => {
  at = await openHarness();
  const dependencies = { ...at, maxPackageBytes: LIMIT, maxBundleBytes: 2 * LIMIT };
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'k',
    routes: [...managementRoutes(dependencies), ...assetRoutes(dependencies)],
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  const address = await server.listen();
  origin = `http://127.0.0.1:${address.port}`;
});

afterAll(async () => {
  await server.close(AbortSignal.timeout(1000));
  await at.close();
});

type Parsed = ReturnType<typeof JSON.parse>;

const bodyOf = async (response: Response): Promise<Parsed> => JSON.parse(await response.text());

interface Answer {
  readonly status: number;
  readonly code: number;
  /** Whatever came; the tests look into it freely. */
  readonly data: Parsed;
  /** The inner error. */
  readonly error: { readonly message: string; readonly error_type: string } | undefined;
}

async function call(path: string, init: RequestInit = {}, tenant = TENANT): Promise<Answer> {
  const response = await fetch(`${origin}${path.startsWith('/v2') ? path : `/plugin/${tenant}${path}`}`, {
    ...init,
    headers: { 'X-Api-Key': 'k', ...init.headers },
  });
  const { code, message, data } = await bodyOf(response);
  return { status: response.status, code, data, error: code === 0 ? undefined : JSON.parse(message) };
}

const get = (path: string, tenant = TENANT) => call(`/management/${path}`, {}, tenant);
const post = (path: string, body?: unknown, tenant = TENANT) =>
  call(
    `/management/${path}`,
    {
      method: 'POST',
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    },
    tenant,
  );

async function send(kind: 'package' | 'bundle', bytes: Uint8Array<ArrayBuffer>, verify?: string): Promise<Answer> {
  const form = new FormData();
  if (verify !== undefined) form.set('verify_signature', verify);
  form.set(kind === 'package' ? 'dify_pkg' : 'dify_bundle', new Blob([bytes]), 'p');
  return call(`/management/install/upload/${kind}`, { method: 'POST', body: form });
}

async function installed(options: TestPackage, tenant = TENANT): Promise<string> {
  const { data } = await send('package', testPackage(options));
  const identifier: string = data.unique_identifier;
  const answer = await post(
    'install/identifiers',
    { plugin_unique_identifiers: [identifier], source: 'package', metas: [{}] },
    tenant,
  );
  await until(
    () => get(`install/tasks/${answer.data.task_id}`, tenant),
    (task) => task.data.status === 'success',
  );
  return identifier;
}

const query = (values: Record<string, string>) => new URLSearchParams(values).toString();
const unknown = `acme/none:0.0.1@${'a'.repeat(64)}`;
const failed = (field: string, tag: string, path = field) =>
  `Key: '${path}' Error:Field validation for '${field}' failed on the '${tag}' tag`;

describe('uploads', () => {
  test('a package is answered with identifier, manifest and verification', async () => {
    const { status, code, data } = await send('package', testPackage({ name: 'up' }));
    expect([status, code]).toEqual([200, 0]);
    expect(data).toMatchObject({
      unique_identifier: expect.stringMatching(/^acme\/up:0\.0\.1@/),
      manifest: { name: 'up', icon: expect.stringMatching(/^[0-9a-f]{64}\.svg$/), verified: false },
      verification: null,
    });
  });

  test('errors come with HTTP 200 and upstream texts', async () => {
    expect(await send('package', new Uint8Array(Buffer.from('hello')))).toMatchObject({
      status: 200,
      code: -400,
      error: { message: 'difypkg: not a valid difypkg file. It is a text', error_type: 'PluginDaemonBadRequestError' },
    });
    expect((await send('package', new Uint8Array(LIMIT + 1))).error?.message).toBe(
      'file size exceeds the maximum limit',
    );
    expect((await send('package', testPackage(), 'true')).error?.message).toContain('bad signature');
    expect(
      (await call('/management/install/upload/package', { method: 'POST', body: new FormData() })).error?.message,
    ).toBe('http: no such file');
    expect((await post('install/upload/package', {})).error?.message).toBe(
      "request Content-Type isn't multipart/form-data",
    );
  });

  test('a bundle is answered in its order', async () => {
    const bundle = testBundle(
      [
        { type: 'marketplace', value: { marketplace_pattern: 'o/p:1.0.0' } },
        { type: 'package', value: { path: 'x' } },
      ],
      { x: testPackage({ name: 'in-bundle' }) },
    );
    const { data } = await send('bundle', bundle);
    expect(data).toEqual([
      { type: 'marketplace', value: { organization: 'o', plugin: 'p', version: '1.0.0' } },
      {
        type: 'package',
        value: {
          unique_identifier: expect.stringContaining('acme/in-bundle:'),
          manifest: expect.objectContaining({ name: 'in-bundle' }),
        },
      },
    ]);
  });

  test('without the key nothing is read', async () => {
    const form = new FormData();
    form.set('dify_pkg', new Blob([new Uint8Array(100)]), 'p');
    const answer = await call('/management/install/upload/package', {
      method: 'POST',
      body: form,
      headers: { 'X-Api-Key': 'no' },
    });
    expect(answer).toMatchObject({ status: 401, code: -401 });
  });
});

describe('install requests', () => {
  test.each<[string, unknown, string]>([
    ['nothing', {}, `${failed('PluginUniqueIdentifiers', 'required')}\n${failed('Source', 'required')}`],
    [
      'a bad identifier',
      { plugin_unique_identifiers: ['nope'], source: 'package', metas: [{}] },
      failed('PluginUniqueIdentifiers[0]', 'plugin_unique_identifier'),
    ],
    [
      'too many',
      { plugin_unique_identifiers: Array(65).fill(unknown), source: 'package', metas: [] },
      failed('PluginUniqueIdentifiers', 'max'),
    ],
    [
      'a source that Dify cannot read back',
      { plugin_unique_identifiers: [unknown], source: 'usb-stick', metas: [{}] },
      failed('Source', 'oneof'),
    ],
  ])('%s: HTTP 400 that names the field', async (_name, body, message) => {
    expect(await post('install/identifiers', body)).toMatchObject({ status: 400, code: -400, error: { message } });
  });

  test('metas must match, a tenant must be a UUID, a package must be there', async () => {
    const body = { plugin_unique_identifiers: [unknown], source: 'package' };
    expect((await post('install/identifiers', body)).error?.message).toBe(
      'the number of metas must be equal to the number of plugin unique identifiers',
    );
    const complete = { ...body, metas: [null] };
    expect(await post('install/identifiers', complete, 'nobody')).toMatchObject({
      status: 200,
      error: { message: 'ERROR: invalid input syntax for type uuid: "nobody" (SQLSTATE 22P02)' },
    });
    expect(await post('install/identifiers', complete)).toMatchObject({
      code: -500,
      error: { message: 'plugin not found\nfailed to get plugin declaration' },
    });
    const none = { plugin_unique_identifiers: [], source: 'package', metas: [] };
    expect((await post('install/identifiers', none)).data).toEqual({ all_installed: true, task_id: '' });
  });

  test('an upgrade needs two versions of one installed plugin', async () => {
    const ids = (original: string, target: string) => ({
      original_plugin_unique_identifier: original,
      new_plugin_unique_identifier: target,
      source: 'package',
    });
    const other = unknown.replace('0.0.1', '0.0.2');
    expect((await post('install/upgrade', ids(unknown, unknown))).error?.message).toBe(
      'original and new plugin unique identifier are the same',
    );
    expect((await post('install/upgrade', ids(unknown, unknown.replace('none', 'some')))).error?.message).toBe(
      'original and new plugin id are different',
    );
    expect(await post('install/upgrade', ids(unknown, other))).toMatchObject({
      status: 200,
      code: -404,
      error: { message: 'plugin installation not found for this tenant', error_type: 'PluginDaemonNotFoundError' },
    });
  });

  test('uninstall: unknown is done, missing is named', async () => {
    expect((await post('uninstall', { plugin_installation_id: '00000000-0000-4000-8000-000000000099' })).data).toBe(
      true,
    );
    expect((await post('uninstall', {})).error?.message).toBe(failed('PluginInstallationID', 'required'));
  });

  test('tasks: paging, unknown, deletion', async () => {
    expect((await get('install/tasks?page=1&page_size=257')).error?.message).toBe(failed('PageSize', 'max'));
    expect((await get('install/tasks?page=1&page_size=10', OTHER_TENANT)).data).toEqual([]);
    expect(await get('install/tasks/00000000-0000-4000-8000-000000000099')).toMatchObject({
      code: -500,
      error: { message: 'record not found' },
    });
    const id = '00000000-0000-4000-8000-000000000099';
    expect((await post(`install/tasks/${id}/delete`)).data).toBe(true);
    expect((await post('install/tasks/delete_all', undefined, OTHER_TENANT)).data).toBe(true);
    expect((await post(`install/tasks/${id}/delete/${unknown}`)).data).toBe(true);
    expect(await post(`install/tasks/${id}/delete/nope`)).toMatchObject({
      status: 200,
      error: { message: 'plugin_unique_identifier is not valid: nope' },
    });
  });
});

describe('reading', () => {
  const tenant = '00000000-0000-4000-8000-0000000000aa';
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    ids['tool'] = await installed(
      { name: 'a-tool', tags: ['weather'], label: { en_US: 'Sun', zh_Hans: '太阳' } },
      tenant,
    );
    ids['model'] = await installed({ name: 'a-model', category: 'model' }, tenant);
    ids['agent'] = await installed({ name: 'an-agent', category: 'agent-strategy' }, tenant);
    ids['datasource'] = await installed({ name: 'a-source', category: 'datasource' }, tenant);
    ids['trigger'] = await installed({ name: 'a-trigger', category: 'trigger' }, tenant);
    ids['extension'] = await installed({ name: 'a-hook', category: 'extension' }, tenant);
  });

  const names = (answer: Answer) => answer.data.list.map((each: { name: string }) => each.name);

  test('the list is newest first, paged, and complete', async () => {
    const all = await get('list?page=1&page_size=256', tenant);
    expect(names(all)).toEqual(['a-hook', 'a-trigger', 'a-source', 'an-agent', 'a-model', 'a-tool']);
    expect(all.data.total).toBe(6);
    const [first] = all.data.list;
    expect(first).toMatchObject({
      installation_id: first.id,
      tenant_id: tenant,
      plugin_id: 'acme/a-hook',
      plugin_unique_identifier: ids['extension'],
      endpoints_active: 0,
      endpoints_setups: 0,
      runtime_type: 'local',
      version: '0.0.1',
      source: 'package',
      checksum: ids['extension']?.split('@')[1],
      meta: {},
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      declaration: { name: 'a-hook', endpoint: { endpoints: [{ path: '/' }] } },
    });
    expect(names(await get('list?page=2&page_size=4', tenant))).toEqual(['a-model', 'a-tool']);
    expect((await get('list?page=9&page_size=4', tenant)).data).toEqual({ list: [], total: 6 });
  });

  test('a list that was sent before shows changes', async () => {
    const other = '00000000-0000-4000-8000-0000000000bb';
    await installed({ name: 'first' }, other);
    expect(names(await get('list?page=1&page_size=5', other))).toEqual(['first']);
    await installed({ name: 'second' }, other);
    const both = await get('list?page=1&page_size=5', other);
    expect(names(both)).toEqual(['second', 'first']);
    await post('uninstall', { plugin_installation_id: both.data.list[1].id }, other);
    expect(names(await get('list?page=1&page_size=5', other))).toEqual(['second']);
  });

  test.each([
    ['tool', 'a-tool'],
    ['model', 'a-model'],
    ['agent-strategy', 'an-agent'],
    ['datasource', 'a-source'],
    ['trigger', 'a-trigger'],
    ['extension', 'a-hook'],
  ])('category %s', async (category, name) => {
    const listed = await get(`${category}/list?page=1&page_size=10`, tenant);
    expect([names(listed), listed.data.has_more]).toEqual([[name], false]);
    expect((await get(`installation/ids?category=${category}`, tenant)).data).toEqual({ plugin_ids: [`acme/${name}`] });
  });

  test('the category list filters by tag, by text and by language, and pages', async () => {
    const find = async (values: Record<string, string>) =>
      names(await get(`tool/list?page=1&page_size=5&${query(values)}`, tenant));
    expect(await find({ tags: 'weather' })).toEqual(['a-tool']);
    expect(await find({ tags: 'finance' })).toEqual([]);
    expect(await find({ query: 'SUN' })).toEqual(['a-tool']);
    expect(await find({ query: '太' })).toEqual([]);
    expect(await find({ query: '太', language: 'zh_Hans' })).toEqual(['a-tool']);
    expect(await find({ query: 'acme/a-' })).toEqual(['a-tool']);
    const many = '00000000-0000-4000-8000-0000000000cc';
    for (const name of ['one', 'two', 'three']) await installed({ name }, many);
    expect((await get('tool/list?page=1&page_size=2', many)).data.has_more).toBe(true);
    expect(await get('tool/list?page=2&page_size=2', many)).toMatchObject({
      data: { has_more: false, list: [{ name: 'one' }] },
    });
  });

  test.each([
    ['list', `${failed('Page', 'required')}\n${failed('PageSize', 'required')}`],
    ['list?page=x&page_size=10', `${failed('Page', 'required')}\n${failed('PageSize', 'required')}`],
    ['tool/list?page=1&page_size=5&language=fr', failed('Language', 'oneof', 'listPluginsByCategoryRequest.Language')],
    ['tool/list?page=1&page_size=5&tags=nope', failed('Tags[0]', 'plugin_tag', 'listPluginsByCategoryRequest.Tags[0]')],
    [
      `tool/list?page=1&page_size=5&query=${'x'.repeat(257)}`,
      failed('Query', 'max', 'listPluginsByCategoryRequest.Query'),
    ],
    ['installation/ids', failed('Category', 'required', 'listInstalledPluginIDsRequest.Category')],
    ['fetch/manifest', failed('PluginUniqueIdentifier', 'required')],
    ['fetch/manifest?plugin_unique_identifier=nope', failed('PluginUniqueIdentifier', 'plugin_unique_identifier')],
    ['tool?plugin_id=x', failed('Provider', 'required')],
  ])('%s is refused by field', async (path, message) => {
    expect(await get(path, tenant)).toMatchObject({ status: 400, code: -400, error: { message } });
  });

  test('an unknown category is named', async () => {
    for (const path of [
      'nope/list?page=1&page_size=5',
      'installation/ids?category=nope',
      'constructor/list?page=1&page_size=5',
    ]) {
      expect(await get(path, tenant)).toMatchObject({
        status: 200,
        code: -400,
        error: { message: 'invalid plugin category' },
      });
    }
  });

  test.each([
    ['tools', 'tool', 'a-tool', 'tool'],
    ['agent_strategies', 'agent_strategy', 'an-agent', 'agent'],
    ['datasources', 'datasource', 'a-source', 'datasource'],
    ['triggers', 'trigger', 'a-trigger', 'trigger'],
  ])('%s and %s', async (plural, singular, name, key) => {
    const row = {
      tenant_id: tenant,
      provider: name,
      plugin_id: `acme/${name}`,
      plugin_unique_identifier: ids[key],
      declaration: { identity: { name } },
      ...(key === 'agent' && { meta: { runner: { language: 'python' } } }),
    };
    const { data } = await get(`${plural}?page=1&page_size=256`, tenant);
    expect(data).toMatchObject([row]);
    expect(data[0]).not.toHaveProperty('runtime_type');
    expect(
      (await get(`${singular}?${query({ plugin_id: `acme/${name}`, provider: name })}`, tenant)).data,
    ).toMatchObject(row);
    for (const values of [
      { plugin_id: `acme/${name}`, provider: 'other' },
      { plugin_id: 'acme/none', provider: name },
    ]) {
      expect(await get(`${singular}?${query(values)}`, tenant)).toMatchObject({
        status: 200,
        code: -404,
        error: { message: 'plugin not found', error_type: 'PluginNotFoundError' },
      });
    }
  });

  test('models and their bindings', async () => {
    expect((await get('models?page=1&page_size=256', tenant)).data).toMatchObject([
      { provider: 'a-model', declaration: { provider: 'a-model', models: [{ model: 'one' }] } },
    ]);
    const [row] = (await get('model/list?page=1&page_size=1', tenant)).data.list;
    expect((await get('models/bindings', tenant)).data).toEqual([
      {
        provider: 'a-model',
        installation_id: row.id,
        plugin_id: 'acme/a-model',
        plugin_unique_identifier: ids['model'],
        runtime_type: 'local',
        source: 'package',
        version: '0.0.1',
        verified: false,
      },
    ]);
  });

  test('batch, missing and existence', async () => {
    const { data } = await post('installation/fetch/batch', { plugin_ids: ['acme/a-tool', 'acme/none'] }, tenant);
    expect(data).toMatchObject([{ plugin_id: 'acme/a-tool', version: '0.0.1', declaration: { name: 'a-tool' } }]);
    expect(data[0]).not.toHaveProperty('installation_id');
    const listed: { plugin_id: string }[] = (await get('list?page=1&page_size=100', tenant)).data.list;
    const newestFirst = listed.map((row) => row.plugin_id);
    const { data: all } = await post('installation/fetch/batch', { plugin_ids: newestFirst }, tenant);
    expect(newestFirst.length).toBeGreaterThan(1);
    expect(all.map((row: { plugin_id: string }) => row.plugin_id)).toEqual(newestFirst.toReversed());
    expect((await post('installation/fetch/batch', { plugin_ids: [] }, tenant)).data).toEqual([]);
    const wanted = [ids['tool'], `acme/a-tool:9.0.0@${'b'.repeat(64)}`, unknown];
    expect((await post('installation/missing', { plugin_unique_identifiers: wanted }, tenant)).data).toEqual([
      { plugin_unique_identifier: wanted[1], current_identifier: ids['tool'] },
      { plugin_unique_identifier: unknown, current_identifier: '' },
    ]);
    const asked = [
      { plugin_id: 'acme/a-tool', provider_name: 'a-tool' },
      { plugin_id: 'acme/a-tool', provider_name: 'other' },
      { plugin_id: 'acme/none', provider_name: 'a-tool' },
    ];
    expect((await post('tools/check_existence', { provider_ids: asked }, tenant)).data).toEqual([true, false, false]);
    expect((await post('tools/check_existence', { provider_ids: [{ plugin_id: 'x' }] }, tenant)).error?.message).toBe(
      failed('ProviderName', 'required', 'ProviderIDS[0].ProviderName'),
    );
  });

  test('manifest, identifier and readme', async () => {
    const of = (identifier: string | undefined) => query({ plugin_unique_identifier: identifier ?? '' });
    expect((await get(`fetch/manifest?${of(ids['tool'])}`)).data).toMatchObject({ name: 'a-tool' });
    expect(await get(`fetch/manifest?${of(unknown)}`)).toMatchObject({
      status: 200,
      code: -400,
      error: { message: 'plugin not found' },
    });
    expect((await get(`fetch/identifier?${of(ids['tool'])}`)).data).toBe(true);
    expect((await get(`fetch/identifier?${of(unknown)}`)).data).toBe(false);
    expect((await get(`fetch/readme?${of(ids['tool'])}&language=zh_Hans`)).data).toEqual({
      content: '# a-tool zh\n',
      language: 'zh_Hans',
    });
    for (let i = 0; i < 2; i++)
      expect((await get(`fetch/readme?${of(ids['tool'])}&language=xx`)).data).toEqual({
        content: '# a-tool\n',
        language: 'en_US',
      });
    expect(await get(`fetch/readme?${of(unknown)}`)).toMatchObject({
      code: -500,
      error: { message: 'failed to get readme from database: plugin package not found, please upload it firstly' },
    });
  });

  test('a package with translations only shows the first of them', async () => {
    const only = testPackage({
      name: 'foreign',
      change: (files) => {
        delete files['README.md'];
        files['readme/README_ja_JP.md'] = '# ja';
      },
    });
    const { data } = await send('package', only);
    const path = `fetch/readme?${query({ plugin_unique_identifier: data.unique_identifier })}`;
    expect((await get(path)).data).toEqual({ content: '# ja', language: 'ja_JP' });
    expect((await get(`${path}&language=zh_Hans`)).data).toEqual({ content: '# foreign zh\n', language: 'zh_Hans' });
  });

  test('a package without readme is read once, not at every view', async () => {
    const { data } = await send(
      'package',
      testPackage({
        name: 'mute',
        change: (files) => {
          for (const name of ['README.md', 'readme/README_zh_Hans.md']) delete files[name];
        },
      }),
    );
    const path = `fetch/readme?${query({ plugin_unique_identifier: data.unique_identifier })}`;
    const message = 'failed to get readme from database: open README.md: file does not exist\nen_US readme not found';
    expect((await get(path)).error?.message).toBe(message);
    await at.storage.delete(`plugin_packages/${data.unique_identifier}`);
    expect((await get(path)).error?.message).toBe(message);
  });

  test.each<[string, (identifier: string) => Promise<Answer>]>([
    ['by its name', (identifier) => get(`decode/from_identifier?${query({ plugin_unique_identifier: identifier })}`)],
    [
      'by the name of older versions',
      (identifier) => get(`decode/from_identifier?${query({ PluginUniqueIdentifier: identifier })}`),
    ],
    [
      'in the header of a direct call',
      (identifier) => call('/v2/invoke/extract', { headers: { 'X-Plugin-Unique-Identifier': identifier } }),
    ],
  ])('decode, identified %s', async (_name, ask) => {
    expect((await ask(ids['tool'] ?? '')).data).toMatchObject({
      unique_identifier: ids['tool'],
      manifest: { name: 'a-tool', icon: 'icon.svg' },
      verification: null,
    });
    expect(await ask(unknown)).toMatchObject({
      status: 200,
      code: -400,
      error: { message: 'plugin package not found, please upload it firstly' },
    });
  });

  test('decode, identified in a JSON body on GET', async () => {
    for (const key of ['plugin_unique_identifier', 'PluginUniqueIdentifier']) {
      const response = await server.app.inject({
        method: 'GET',
        url: `/plugin/${TENANT}/management/decode/from_identifier`,
        headers: { 'x-api-key': 'k', 'content-type': 'application/json' },
        payload: JSON.stringify({ [key]: ids['tool'] }),
      });
      expect(response.json().data).toMatchObject({ unique_identifier: ids['tool'] });
    }
  });

  test('a direct call without or with a bad header', async () => {
    expect(await call('/v2/invoke/extract')).toMatchObject({
      status: 400,
      error: { message: 'X-Plugin-Unique-Identifier header is required' },
    });
    expect(await call('/v2/invoke/extract', { headers: { 'X-Plugin-Unique-Identifier': 'nope' } })).toMatchObject({
      status: 400,
      error: { message: 'plugin_unique_identifier is not valid: nope', error_type: 'PluginUniqueIdentifierError' },
    });
  });

  test('an installation whose declaration is lost is left out, the others stay', async () => {
    const other = '00000000-0000-4000-8000-0000000000dd';
    await installed({ name: 'kept' }, other);
    const lost = await installed({ name: 'lost' }, other);
    await at.database.declarations.delete(lost);
    const { data } = await get('list?page=1&page_size=10', other);
    expect(data).toMatchObject({ list: [{ name: 'kept' }], total: 2 });
    expect((await get('tools?page=1&page_size=10', other)).data).toMatchObject([{ provider: 'kept' }]);
  });

  describe('assets', () => {
    const raw = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${origin}/plugin/${tenant}${path}`, { headers: { 'X-Api-Key': 'k', ...headers } });

    test('an icon comes as bytes and is not sent twice', async () => {
      const { data } = await get(`fetch/manifest?${query({ plugin_unique_identifier: ids['tool'] ?? '' })}`);
      const response = await raw(`/asset/${data.icon}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
      expect(await response.text()).toContain('<svg');
      const again = await raw(`/asset/${data.icon}`, { 'If-None-Match': response.headers.get('etag') ?? '' });
      expect([again.status, await again.text()]).toEqual([304, '']);
    });

    test('icons that do not exist are not found, other paths are no route', async () => {
      for (const id of ['none.svg', `${'0'.repeat(64)}.svg`]) {
        const response = await raw(`/asset/${id}`);
        expect([response.status, (await bodyOf(response)).code]).toEqual([404, -404]);
      }
      const response = await raw('/asset/..%2f..%2fmanifest.yaml');
      expect([response.status, await bodyOf(response)]).toEqual([
        404,
        { code: 'not_found', message: 'route not found' },
      ]);
    });

    test('a file of a package, with and without the final slash', async () => {
      const values = query({ plugin_unique_identifier: ids['tool'] ?? '', file_path: 'icon.svg' });
      for (const path of ['/extract-asset/', '/extract-asset']) {
        const response = await raw(`${path}?${values}`);
        expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('<svg')]);
      }
    });

    test('what is not in a package, or has no package, is said', async () => {
      const ask = async (identifier: string, path: string) => {
        const response = await raw(
          `/extract-asset/?${query({ plugin_unique_identifier: identifier, file_path: path })}`,
        );
        return [response.status, JSON.parse((await bodyOf(response)).message).message];
      };
      expect(await ask(ids['tool'] ?? '', 'none')).toEqual([404, 'asset not found: none']);
      expect(await ask(ids['tool'] ?? '', '../manifest.yaml')).toEqual([404, 'asset not found: ../manifest.yaml']);
      expect(await ask(unknown, 'x')).toEqual([500, 'plugin package not found, please upload it firstly']);
      expect(await ask('nope', '')).toEqual([
        400,
        `${failed('PluginUniqueIdentifier', 'plugin_unique_identifier')}\n${failed('FilePath', 'required')}`,
      ]);
    });

    test('an icon in memory survives the file', async () => {
      const { data } = await get(`fetch/manifest?${query({ plugin_unique_identifier: ids['model'] ?? '' })}`);
      await raw(`/asset/${data.icon}`);
      await rm(join(at.directory, 'storage', 'assets', data.icon));
      expect((await raw(`/asset/${data.icon}`)).status).toBe(200);
    });
  });
});
