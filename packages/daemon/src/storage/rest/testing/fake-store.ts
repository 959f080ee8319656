import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { FakeVendor, WireRequest } from './verifier.ts';

export type Fault = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeStore {
  readonly port: number;
  /** `GET /a` */
  readonly asked: readonly string[];
  readonly objects: Map<string, Buffer>;
  /** These answer the next requests, the last one all of them when `forever`. */
  fail(faults: readonly Fault[], options?: { readonly forever: boolean }): void;
  close(): Promise<void>;
}

const MOST_KEYS = 100;

/** One bucket `b` in memory, which takes requests only as the store does. */
export async function openFakeStore(vendor: FakeVendor): Promise<FakeStore> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  let faults: Fault[] = [];
  let port = 0;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    const fault =
      faults.length > 0 ? (faults[0] === faults.at(-1) && keepLast ? faults[0] : faults.shift()) : undefined;
    if (fault !== undefined) {
      request.resume();
      fault(request, response);
      return;
    }
    void answer(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  let keepLast = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = await buffer(request);
    const at = url.indexOf('?');
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(request.headers))
      headers[name] = Array.isArray(value) ? value.join(',') : value;
    const wire: WireRequest = {
      method,
      rawPath: at < 0 ? url : url.slice(0, at),
      rawQuery: at < 0 ? '' : url.slice(at + 1),
      headers,
    };
    const say = (status: number, code: string) => {
      const text =
        vendor.format === 'xml'
          ? `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`
          : JSON.stringify(vendor.format === 'json' ? { Code: code, Message: 'm' } : { code, message: 'm' });
      send(status, text);
    };
    const send = (status: number, content: string | Buffer, more: Record<string, string> = {}) => {
      response.writeHead(status, {
        [vendor.requestIdHeader]: '1',
        ...(status !== 204 && { 'Content-Length': Buffer.byteLength(content) }),
        ...more,
      });
      response.end(method === 'HEAD' || status === 204 ? undefined : content);
    };

    if (headers.host !== vendor.host(port)) return say(403, `HostIs${headers.host}`);
    if (!wire.rawPath.startsWith(vendor.base)) return say(403, 'PathIsWrong');
    const refused = vendor.refuse(wire);
    if (refused !== undefined) return say(403, refused);
    const key = decodeURIComponent(wire.rawPath.slice(vendor.base.length));

    if (key === '') return method === 'GET' ? list(wire, say, send) : say(405, 'MethodNotAllowed');
    const found = objects.get(key);
    switch (method) {
      case 'GET':
      case 'HEAD':
        return found === undefined
          ? say(404, 'NoSuchKey')
          : send(200, found, { 'Last-Modified': new Date().toUTCString() });
      case 'PUT': {
        const source = headers[vendor.copySource.header];
        if (source !== undefined) {
          const from = vendor.copySource.key(source);
          const copied = from === undefined ? undefined : objects.get(from);
          if (from === undefined || body.length > 0) return say(400, 'InvalidArgument');
          if (copied === undefined) return say(404, 'NoSuchKey');
          objects.set(key, copied);
          return send(
            200,
            vendor.format === 'xml'
              ? '<CopyObjectResult><ETag>"1"</ETag></CopyObjectResult>'
              : JSON.stringify(vendor.format === 'json' ? { ETag: '1' } : { eTag: '1' }),
          );
        }
        // Stores want to know the length before, and check the digest.
        if (headers['content-length'] === undefined) return say(411, 'MissingContentLength');
        if (headers['content-md5'] !== createHash('md5').update(body).digest('base64')) return say(400, 'BadDigest');
        objects.set(key, body);
        return send(200, '');
      }
      case 'DELETE':
        objects.delete(key);
        return vendor.format === 'json' && found === undefined ? say(404, 'NoSuchKey') : send(204, '');
      default:
        return say(405, 'MethodNotAllowed');
    }
  }

  function list(
    wire: WireRequest,
    say: (status: number, code: string) => void,
    send: (status: number, content: string) => void,
  ): void {
    const { limit: limitName, after: afterName, fixed = {} } = vendor.paging;
    const query = new URLSearchParams(wire.rawQuery.replaceAll('+', '%2B'));
    const known = new Set([limitName, afterName, 'prefix', ...Object.keys(fixed)]);
    const limit = Number(query.get(limitName));
    const fixedRight = Object.entries(fixed).every(([name, value]) => query.get(name) === value);
    if (!fixedRight || !(limit >= 1 && limit <= 1000) || [...query.keys()].some((name) => !known.has(name))) {
      return say(400, 'InvalidArgument');
    }
    const prefix = query.get('prefix') ?? '';
    const after = query.get(afterName);
    // A token is nothing that one could make oneself.
    const start = after === null ? '' : vendor.format === 'json' ? Buffer.from(after, 'base64').toString() : after;
    const below = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > start).toSorted();
    const keys = below.slice(0, Math.min(limit, MOST_KEYS));
    const more = keys.length < below.length;
    const last = keys.at(-1) ?? '';
    if (vendor.format === 'xml') {
      const entries = keys.map((key) => `<Contents><Key>${xmlText(key)}</Key><Size>1</Size></Contents>`).join('');
      const next = more ? `<NextMarker>${xmlText(last)}</NextMarker>` : '';
      const head = `<Name>b</Name><Prefix>${xmlText(prefix)}</Prefix><IsTruncated>${more}</IsTruncated>${next}`;
      return send(
        200,
        `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>${head}${entries}</ListBucketResult>`,
      );
    }
    const answered =
      vendor.format === 'json'
        ? {
            Name: 'b',
            IsTruncated: more,
            ...(more && { NextContinuationToken: Buffer.from(last).toString('base64') }),
            ...(keys.length > 0 && { Contents: keys.map((Key) => ({ Key })) }),
          }
        : // Without a delimiter Baidu need not say what comes next.
          { name: 'b', isTruncated: more, contents: keys.map((key) => ({ key })) };
    return send(200, JSON.stringify(answered));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  port = address.port;
  return {
    port,
    asked,
    objects,
    fail: (next, { forever = false } = { forever: false }) => {
      faults = [...next];
      keepLast = forever;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Some stores escape more than they have to. */
const xmlText = (text: string): string =>
  text.replace(/[&<>"'\p{C}]/gu, (char) => (char === '&' ? '&amp;' : `&#${char.codePointAt(0)};`));
