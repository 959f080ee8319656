/** From the input of an operation to an HTTP request. */
import type { OperationSpec } from './generated.ts';

export interface ClientKeys {
  readonly serverKey: string;
  readonly adminKey?: string | undefined;
}

export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

const keyHeaders = { serverKey: 'X-Api-Key', adminKey: 'X-Admin-Api-Key' } as const;

/** @throws TypeError when a part of the path or a key is missing */
export function wireRequest(
  spec: OperationSpec,
  tenant: string,
  keys: ClientKeys,
  input: Readonly<Record<string, unknown>>,
): WireRequest {
  const headers: Record<string, string> = {};
  if (spec.key !== undefined) headers[keyHeaders[spec.key]] = keyOf(spec, keys);
  for (const [member, header] of Object.entries(spec.headers ?? {})) headers[header] = String(input[member]);
  const body = bodyOf(spec, input, headers);
  return { method: spec.method, path: pathOf(spec, tenant, input) + queryOf(spec, input), headers, body };
}

function keyOf({ key }: OperationSpec, keys: ClientKeys): string {
  const value = key === 'adminKey' ? keys.adminKey : keys.serverKey;
  if (value === undefined) throw new TypeError('this operation needs the adminKey of the daemon');
  return value;
}

const pathOf = ({ path }: OperationSpec, tenant: string, input: Readonly<Record<string, unknown>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = name === 'tenant_id' ? tenant : input[name];
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is missing: it is part of ${path}`);
    return value.split('/').map(encodeURIComponent).join('/');
  });

function queryOf({ query = [] }: OperationSpec, input: Readonly<Record<string, unknown>>): string {
  const values = new URLSearchParams();
  for (const name of query) {
    const value = input[name];
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined) values.append(name, String(each));
  }
  return values.size === 0 ? '' : `?${values}`;
}

function bodyOf(
  { body }: OperationSpec,
  input: Readonly<Record<string, unknown>>,
  headers: Record<string, string>,
): string | Buffer | undefined {
  if (body === undefined) return undefined;
  if (body === 'json') {
    headers['Content-Type'] = 'application/json';
    return JSON.stringify(input['body'] ?? {});
  }
  headers['Content-Type'] = `multipart/form-data; boundary=${BOUNDARY}`;
  return multipart(Object.entries(Object.assign({}, input['body'])));
}

/** Long enough not to occur in a file. */
const BOUNDARY = '----plugin-daemon-client-7f3a9c51e2d84b06';

function multipart(fields: readonly (readonly [string, unknown])[]): Buffer {
  const parts = fields.flatMap(([name, value]) => {
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`;
    return value instanceof Uint8Array
      ? [Buffer.from(`${head}; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`), value, lineEnd]
      : [Buffer.from(`${head}\r\n\r\n${String(value)}\r\n`)];
  });
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

const lineEnd = Buffer.from('\r\n');
