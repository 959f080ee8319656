import { expect, test } from 'vitest';
import {
  array,
  bindQuery,
  decode,
  embed,
  eq,
  formatViolations,
  int,
  jsonSchemaOf,
  min,
  nullable,
  number,
  object,
  pathText,
  record,
  required,
  string,
  validate,
} from './index.ts';

const Message = record('Message', { role: string('Role').check(required), content: string('Content') });
const Request = record(
  'Request',
  embed('Base', { provider: string('Provider').check(required), model: string('Model') }),
  {
    model_type: string('ModelType').check(eq('llm')),
    parameters: object('Parameters'),
    messages: array('Messages', Message, { dive: true }),
    top_n: int('TopN'),
    threshold: number('Threshold'),
    note: nullable(string('Note')),
    credential_type: string('CredentialType').omit(),
  },
);

test('missing fields become zero values and are listed', () => {
  const { value, missing, altered } = decode(Request, { provider: 'p' });
  expect(value).toEqual({
    provider: 'p',
    model: '',
    model_type: '',
    parameters: null,
    messages: null,
    top_n: 0,
    threshold: 0,
    note: null,
  });
  expect(missing).toEqual(['model', 'model_type', 'parameters', 'messages', 'top_n', 'threshold', 'note']);
  expect(altered).toBe(false);
});

test('a value of the wrong type is left at zero while the others are kept', () => {
  const { value, altered } = decode(Request, { provider: 5, model: 'm', parameters: [1], top_n: 1.5, threshold: null });
  expect(value).toMatchObject({ provider: '', model: 'm', parameters: null, top_n: 0, threshold: 0 });
  expect(altered).toBe(true);
  // Whole, but of no integer's size.
  expect(decode(Request, { top_n: -1e300 })).toMatchObject({ value: { top_n: 0 }, altered: true });
});

test('keys match in any case', () => {
  expect(decode(Request, { Provider: 'p' }).value.provider).toBe('p');
});

test('messages name the path, the field and the rule, in declaration order', () => {
  const { value } = decode(Request, { model_type: 'tts', messages: [{ content: 'x' }] });
  expect(formatViolations(validate(Request, value))).toBe(
    [
      "Key: 'Request.Base.Provider' Error:Field validation for 'Provider' failed on the 'required' tag",
      "Key: 'Request.ModelType' Error:Field validation for 'ModelType' failed on the 'eq' tag",
      "Key: 'Request.Messages[0].Role' Error:Field validation for 'Role' failed on the 'required' tag",
    ].join('\n'),
  );
});

test('an anonymous record leaves its name out of the path', () => {
  const Page = record('', { page: int('Page').check(required, min(1)), page_size: int('PageSize').check(required) });
  expect(
    validate(Page, bindQuery(Page, new URLSearchParams('page=-1&page_size=x'))).map((v) => [pathText(v.path), v.tag]),
  ).toEqual([
    ['Page', 'min'],
    ['PageSize', 'required'],
  ]);
});

test('a number that does not parse stops the binding of later parameters', () => {
  const Page = record('', { page: int('Page'), page_size: int('PageSize') });
  expect(bindQuery(Page, new URLSearchParams('page=x&page_size=10'))).toEqual({ page: 0, page_size: 0 });
  expect(bindQuery(Page, new URLSearchParams('page= 01&page=9&page_size=10'))).toEqual({ page: 1, page_size: 10 });
});

test('required means not zero: an empty list passes, an empty text does not', () => {
  const R = record('R', { list: array('List', string('')).check(required), text: string('Text').check(required) });
  expect(validate(R, decode(R, { list: [], text: '' }).value).map((v) => v.label)).toEqual(['Text']);
});

test('JSON Schema carries types, limits and what is required', () => {
  expect(jsonSchemaOf(Request)).toMatchObject({
    type: 'object',
    required: ['provider'],
    properties: {
      model_type: { const: 'llm' },
      top_n: { type: 'integer' },
      messages: { type: 'array', items: { required: ['role'] } },
    },
  });
});
