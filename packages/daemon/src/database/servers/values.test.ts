import { randomUUID } from 'node:crypto';
import { provided, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plugin } from '../conformance/fixtures.ts';
import { type Database, newId, openDatabase } from '../index.ts';
import { connectRaw, freshDatabase, testServers } from '../testing/servers.ts';

describe.each(testServers)('values in %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  const options = freshDatabase(server);
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(options);
  });
  afterAll(() => database.close());
  const raw = async (text: string) => {
    await using connection = await connectRaw(options);
    return await connection.query(text);
  };
  const utc = options.type === 'postgresql' ? (column: string) => `${column} at time zone 'UTC'` : (c: string) => c;

  test('times are UTC, whatever the zone of the server and of this process', async () => {
    const before = Date.now();
    const { id, created_at } = await database.lifecycle.setupEndpoint({
      id: newId(),
      tenantId: randomUUID(),
      userId: 'u',
      pluginId: 'acme/times',
      name: 'n',
      settings: {},
    });
    expect(Date.parse(created_at)).toBeGreaterThanOrEqual(before);
    const [row] = await raw(
      `select ${utc('created_at')} as made, ${utc('expired_at')} as expires from endpoints where id = '${id}'`,
    );
    expect(String(row?.made).slice(0, 23).padEnd(23, '0')).toBe(created_at.slice(0, 23).replace('T', ' '));
    expect(row?.expires).toMatch(/^2050-01-01 00:00:00/);
    const again = await openDatabase(options);
    const [tenant] = await raw(`select tenant_id from endpoints where id = '${id}'`);
    expect(await again.endpoints.find(String(tenant?.tenant_id), id)).toMatchObject({ created_at, enabled: true });
    await again.close();
  });

  test('numbers have 53 bits, and text is what it was', async () => {
    const tenant = randomUUID();
    const most = Number.MAX_SAFE_INTEGER;
    expect(await database.tenantStorages.reserve(tenant, 'p', most, most)).toEqual({ ok: true, size: most });
    expect(await database.tenantStorages.size(tenant, 'p')).toBe(most);
    const text = `'"\\\\ %_ \u{1F600} 插件\n\t\u2028 ${'x'.repeat(300_000)}`;
    const made = plugin('acme/text', '0.0.1', { tool: { identity: { name: 't' } }, text });
    await database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, made.declaration.json);
    expect((await database.declarations.find(made.uniqueIdentifier))?.value.text).toBe(text);
  });

  test('letters that differ in case are different, and so are trailing spaces', async () => {
    const [lower, upper] = [plugin('acme/case'), plugin('Acme/Case')];
    for (const { uniqueIdentifier, pluginId } of [lower, upper]) {
      expect(await database.declarations.insertIfAbsent(uniqueIdentifier, pluginId, '{}')).toBe(true);
    }
    expect(await database.declarations.insertIfAbsent(lower.uniqueIdentifier, lower.pluginId, '{}')).toBe(false);
    expect(await database.declarations.replace(lower.uniqueIdentifier, '{"a":1}')).toBe(true);
    // Nothing changes by it, and it is found all the same.
    expect(await database.declarations.replace(lower.uniqueIdentifier, '{"a":1}')).toBe(true);
    expect((await database.declarations.find(upper.uniqueIdentifier))?.json).toBe('{}');
  });

  test('a value that does not fit is refused with its reason, and nothing of it is kept', async () => {
    const endpoint = { id: newId(), tenantId: randomUUID(), userId: 'u', pluginId: 'acme/long', settings: {} };
    await expect(database.lifecycle.setupEndpoint({ ...endpoint, name: 'x'.repeat(128) })).rejects.toMatchObject({
      failure: 'unfit',
      message: expect.stringContaining('no room for so long a value'),
    });
    expect(await database.endpoints.listByTenant(endpoint.tenantId, { page: 1, pageSize: 9 })).toEqual([]);
    await database.lifecycle.setupEndpoint({ ...endpoint, name: 'fits' });
  });

  test.skipIf(options.type !== 'mysql')('text stays text, whatever the server makes of backslashes', async () => {
    await raw("set global sql_mode = 'NO_BACKSLASH_ESCAPES'");
    const other = await openDatabase(options);
    try {
      const made = plugin("acme/\\' or 1=1 -- ");
      const json = JSON.stringify({ text: "\\' ; delete from plugins -- \\\\" });
      expect(await other.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, json)).toBe(true);
      expect((await database.declarations.find(made.uniqueIdentifier))?.json).toBe(json);
      expect((await other.declarations.find(made.uniqueIdentifier))?.json).toBe(json);
    } finally {
      await raw('set global sql_mode = default');
      await other.close();
    }
  });

  test('an id that is no UUID finds nothing that could be there, or is refused', async () => {
    const asked = database.installations.find('not-a-uuid', 'acme/x');
    if (options.type === 'mysql') expect(await asked).toBeUndefined();
    else
      await expect(asked).rejects.toMatchObject({ failure: 'unfit', message: expect.stringContaining('UUIDs only') });
    await database.ping();
  });
});
