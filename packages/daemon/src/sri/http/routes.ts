import type { IncomingMessage, ServerResponse } from 'node:http';
import { endWhenSent } from '../../http/index.ts';

/** One request with what the router found out about it. */
export interface SriCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** What stands for `:name` and `:token` of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
}

export interface SriRoute {
  readonly methods: readonly string[];
  /** Segments; one that begins with `:` stands for any. */
  readonly path: string;
  /** `key`: only with SRI_API_KEY; `details`: that, or from this machine; `open`: for everybody. */
  readonly access: 'key' | 'details' | 'open';
  readonly summary: string;
  readonly handle: (call: SriCall) => Promise<void> | void;
}

/** The route of a path, with its parameters; undefined when there is none. */
export function matchRoute(
  routes: readonly SriRoute[],
  method: string,
  path: string,
): { readonly route: SriRoute; readonly params: Readonly<Record<string, string>> } | undefined {
  const segments = path.split('/');
  for (const route of routes) {
    if (!route.methods.includes(method)) continue;
    const pattern = route.path.split('/');
    if (pattern.length !== segments.length) continue;
    const params: Record<string, string> = {};
    const fits = pattern.every((part, at) => {
      const given = segments[at] ?? '';
      if (!part.startsWith(':')) return part === given;
      params[part.slice(1)] = given;
      return given !== '';
    });
    if (fits) return { route, params };
  }
  return undefined;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  endWhenSent(response, body);
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  endWhenSent(response, text);
}
