import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../database/index.ts';
import { PresentedDeclarations } from '../../installation/index.ts';
import { DeclarationLookup } from './declaration-lookup.ts';

let database: Database;
beforeAll(async () => {
  database = await openDatabase({ type: 'sqlite', file: ':memory:' });
});
afterAll(() => database.close());

test('a row that names no version, or one without a declaration, is left out and told; the others stay', async () => {
  const good = `acme/demo:0.0.1@${'a'.repeat(64)}`;
  const odd = 'acme/demo:::@@';
  const json = '{"version":"0.0.1","type":"plugin","author":"acme","name":"demo"}';
  for (const identifier of [good, odd]) await database.declarations.insertIfAbsent(identifier, 'acme/demo', json);
  const told: unknown[] = [];
  const tell = (fields: object | string) => {
    told.push(typeof fields === 'object' && 'identifier' in fields ? fields.identifier : fields);
  };
  const lookup = new DeclarationLookup({
    database,
    installation: { presented: new PresentedDeclarations() },
    log: { warn: tell, error: tell },
  });
  const rows = ['', odd, good, `acme/gone:0.0.1@${'b'.repeat(64)}`].map((identifier) => ({
    plugin_unique_identifier: identifier,
  }));
  expect((await lookup.of(rows)).map(({ row }) => row.plugin_unique_identifier)).toEqual([good]);
  expect(told).toEqual(['', odd, `acme/gone:0.0.1@${'b'.repeat(64)}`]);
});
