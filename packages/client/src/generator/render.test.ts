import { expect, test } from 'vitest';
import { renderClient } from './render.ts';
import { membersOf, typeOf } from './types.ts';

test.each([
  [{}, 'unknown'],
  [{ type: 'string', format: 'date-time' }, 'string'],
  [{ type: 'integer' }, 'number'],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ const: true }, 'true'],
  [{ enum: ['a', null] }, '"a" | null'],
  [{ $ref: '#/components/schemas/Thing' }, 'Thing'],
  [{ type: 'array', items: { type: 'string' } }, 'readonly string[]'],
  [{ type: ['array', 'null'], items: { $ref: '#/components/schemas/Thing' } }, 'readonly Thing[] | null'],
  [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, 'ReadonlyArray<string | null>'],
  [{ type: 'array', items: { type: 'array', items: { type: 'number' } } }, 'ReadonlyArray<readonly number[]>'],
  [{ type: 'object', additionalProperties: true }, 'Readonly<Record<string, unknown>>'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, 'Readonly<Record<string, string>>'],
  [{ type: 'string', contentMediaType: 'application/octet-stream' }, 'Uint8Array'],
])('%j is %s', (schema, type) => {
  expect(typeOf(schema)).toBe(type);
});

test('members say what is required and what they mean, whatever stands in the description', () => {
  const schema = {
    properties: { a: { type: 'string', description: 'One */ line\nor two' }, 'b-c': { type: 'null' } },
    required: ['a'],
  };
  expect(membersOf(schema)).toEqual(['/** One *\\/ line or two */', 'readonly a: string;', 'readonly "b-c"?: null;']);
});

test('operations are called as they are described; what has no answer of its own is left out', () => {
  const envelope = { oneOf: [{ properties: { data: { const: true } } }, {}] };
  const text = renderClient({
    components: { schemas: {} },
    paths: {
      '/plugin/{tenant_id}/x/{id}': {
        post: {
          operationId: 'doX',
          summary: 'Does x',
          security: [{ serverKey: [] }],
          parameters: [
            { name: 'tenant_id', in: 'path', required: true, schema: {} },
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'X-Plugin-ID', in: 'header', required: true, schema: { type: 'string' } },
            { name: 'page', in: 'query', required: false, schema: { type: 'integer' } },
          ],
          requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
          responses: { 200: { content: { 'application/json': { schema: envelope } } } },
        },
      },
      '/e/{hook_id}': {
        get: { operationId: 'hook', summary: 's', security: [], responses: { default: { content: { '*/*': {} } } } },
      },
    },
  });
  expect(text).toContain(
    'doX: {"kind":"enveloped","method":"POST","path":"/plugin/{tenant_id}/x/{id}","key":"serverKey","body":"json","query":["page"],"headers":{"pluginId":"X-Plugin-ID"}},',
  );
  expect(text).toContain('readonly pluginId: string;');
  expect(text).toContain('readonly page?: number;');
  expect(text).toContain('readonly data: true;');
  expect(text).not.toContain('hook');
  expect(text).not.toContain('tenant_id:');
});
