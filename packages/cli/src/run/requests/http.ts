/** Requests over HTTP: what a webhook is called with, and endpoints. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { requestBytes } from '../http-text.ts';
import type { CallSpec, Inputs } from './call.ts';
import { pick, refuseOthers } from './parameters.ts';
import { fileBytes } from './values.ts';

/** What every call over HTTP takes; also `header.<Name>`. */
export const HTTP_PARAMETERS = ['body', 'method', 'path'] as const;
export const isHttpParameter = (name: string): boolean =>
  name.startsWith('header.') || HTTP_PARAMETERS.some((each) => each === name);

export function httpFrom(params: ReadonlyMap<string, string>, method: string, path: string): string {
  const headers: Record<string, string> = {};
  for (const [name, value] of params) if (name.startsWith('header.')) headers[name.slice('header.'.length)] = value;
  const body = params.get('body') ?? '';
  const bytes = body.startsWith('@') ? fileBytes(body) : Buffer.from(body);
  if (
    bytes.length > 0 &&
    !Object.keys(headers).some((name) => name.toLowerCase() === 'content-type') &&
    /^\s*[{[]/.test(body)
  )
    headers['Content-Type'] = 'application/json';
  return requestBytes({
    method: params.get('method') ?? method,
    path: params.get('path') ?? path,
    headers,
    body: bytes,
  }).toString('hex');
}

export function endpointRequest(declaration: PluginDeclaration, name: string | undefined, inputs: Inputs): CallSpec {
  const endpoints = declaration.endpoint?.endpoints ?? [];
  const byPath =
    name === undefined
      ? undefined
      : endpoints.find((endpoint) => endpoint.path === name || `${endpoint.method} ${endpoint.path}` === name);
  // A concrete path for a pattern such as /item/<id>.
  const endpoint =
    byPath ??
    (name?.startsWith('/') === true
      ? { path: name, method: endpoints[0]?.method ?? 'GET' }
      : pick(endpoints, (each) => each.path, name, 'endpoint'));
  const path = (name?.startsWith('/') === true ? name : endpoint.path).replace(/<[^<>]+>/g, '1');
  const label = `${endpoint.method} ${path}`;
  refuseOthers([...inputs.params.keys()], HTTP_PARAMETERS, label);
  return {
    type: 'endpoint',
    action: 'invoke_endpoint',
    request: { settings: inputs.credentials, raw_http_request: httpFrom(inputs.params, endpoint.method, path) },
    label,
  };
}
