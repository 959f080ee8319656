/** Holds exchanges against a described API; for tests. */
import type { JsonSchema } from '@plugin-daemon/wire-schema';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { OpenApiDocument } from './document.ts';
import type { Operation } from './operation.ts';

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  /** The whole body. */
  readonly body: string;
}

interface Described {
  readonly pattern: RegExp;
  readonly variables: number;
  readonly pointer: string;
  readonly operation: Operation;
}

export class Checker {
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #document: OpenApiDocument;
  readonly #operations: readonly Described[];

  constructor(document: OpenApiDocument) {
    this.#document = document;
    formats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'document', ...document });
    this.#operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        pattern: patternOf(method, path, operation),
        variables: path.split('{').length,
        pointer: `document#/paths/${pointerPart(path)}/${method}`,
        operation,
      })),
    );
  }

  /** What an exchange has that the description lacks; empty if it fits. */
  problems(exchange: Exchange): readonly string[] {
    const described = this.find(exchange.method, exchange.path);
    if (described === undefined) return ['the route is not described'];
    const { operation, pointer } = described;
    const status = operation.responses[exchange.status] === undefined ? 'default' : String(exchange.status);
    const response = operation.responses[status];
    if (response === undefined) return [`the status ${exchange.status} is not described`];
    const { name, content } = this.#contentOf(response, `${pointer}/responses/${status}`);
    const type = exchange.contentType.split(';', 1)[0] ?? '';
    const media = content[type];
    if (media === undefined) {
      // A stream without events has no type to look at.
      const free = exchange.body === '' || content['*/*'] !== undefined;
      return free ? [] : [`answers of type ${type} are not described`];
    }
    const at = `${name}/content/${pointerPart(type)}`;
    if ('x-event-schema' in media)
      return eventsOf(exchange.body).flatMap((event) => this.#validate(`${at}/x-event-schema`, event));
    return 'schema' in media ? this.#validate(`${at}/schema`, exchange.body) : [];
  }

  /** What a JSON request has that the description does not allow; empty if it fits or no JSON is described. */
  requestProblems(method: string, path: string, body: string): readonly string[] {
    const described = this.find(method, path);
    if (described === undefined) return ['the route is not described'];
    const content: Readonly<Record<string, object>> = Object.assign({}, described.operation.requestBody?.['content']);
    if (content['application/json'] === undefined) return [];
    const at = `${described.pointer}/requestBody/content/${pointerPart('application/json')}/schema`;
    return this.#validate(at, body);
  }

  /** Answers validated so far, events one by one. */
  validated = 0;

  /** The operation of a request; fixed paths go before variable ones, as in the router. */
  find(method: string, path: string): Described | undefined {
    const wanted = `${method} ${path.split('?', 1)[0]}`;
    return this.#operations.filter(({ pattern }) => pattern.test(wanted)).sort((a, b) => a.variables - b.variables)[0];
  }

  #contentOf(response: JsonSchema, pointer: string): { name: string; content: Readonly<Record<string, object>> } {
    const reference = response['$ref'];
    if (typeof reference !== 'string') return { name: pointer, content: Object.assign({}, response['content']) };
    const shared = this.#document.components.responses[reference.split('/').at(-1) ?? ''];
    return { name: `document${reference}`, content: Object.assign({}, shared?.['content']) };
  }

  #validate(pointer: string, text: string): readonly string[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return [`not JSON: ${text.slice(0, 200)}`];
    }
    this.validated++;
    const valid: ValidateFunction = this.#ajv.getSchema(pointer) ?? this.#ajv.compile({ $ref: pointer });
    if (valid(value)) return [];
    return [`${this.#ajv.errorsText(valid.errors)} in ${text.slice(0, 500)}`];
  }
}

const pointerPart = (text: string): string => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));

function patternOf(method: string, path: string, operation: Operation): RegExp {
  const rest = operation.parameters?.find((parameter) => parameter['x-rest'])?.name;
  const source = path
    .replace(/\/$/, '')
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 === 0 ? part.replace(/[.*+?^$()|[\]\\]/g, '\\$&') : part === rest ? '.*' : '[^/]+'))
    .join('');
  return new RegExp(`^${method.toUpperCase()} ${source}/?$`);
}

const eventsOf = (body: string): readonly string[] =>
  body
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
