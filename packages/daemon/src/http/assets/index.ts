/**
 * Icons and files of packages, as bytes (docs/wire/http-api.md#assets). Knows the wire form; installation/ finds and keeps the bytes.
 */
import type { ServerResponse } from 'node:http';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyReply } from 'fastify';
import type { Installation } from '../../installation/index.ts';
import { bindGet } from '../binding.ts';
import { AssetRequest } from '../management/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface AssetDependencies {
  readonly installation: Pick<Installation, 'reader'>;
}

const tag = 'Assets';
const produces = 'application/octet-stream';
/** Ids are made of the content's digest, paths belong to a version that never changes: what was fetched once stays true. */
const FOREVER = 'private, max-age=31536000, immutable';

export function assetRoutes({ installation }: AssetDependencies): readonly AnyRoute[] {
  const { reader } = installation;
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/asset/:id',
      operationId: 'getAsset',
      tag,
      summary: 'An icon by the asset id that declarations carry.',
      produces,
      errorStatus: 'kind',
      handleRaw: async ({ params, request }, reply) => {
        const id = params['id'] ?? '';
        if (id.includes('/')) return noRoute(reply);
        const content = /^[0-9a-f]{64}(?:\.[^/\\]{1,64})?$/.test(id) ? await reader.media(id) : undefined;
        if (content === undefined) throw new DaemonError('not-found', `asset not found: ${id}`);
        sendBytes(reply.raw, content, `"${id}"`, request.headers['if-none-match']);
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/extract-asset/',
      operationId: 'getPackageAsset',
      request: AssetRequest,
      aliases: ['/extract-asset'],
      tag,
      summary: 'A file below the `_assets` of a stored package.',
      produces,
      errorStatus: 'kind',
      handleRaw: async ({ request }, reply) => {
        const at = request.url.indexOf('?');
        const query = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
        const input = bindGet(AssetRequest, query, {}, undefined, undefined);
        const { plugin_unique_identifier: identifier, file_path: path } = input;
        const content = await reader.asset(identifier, path).catch((error: unknown) => {
          throw new DaemonError('internal', toDaemonError(error).message, { cause: error });
        });
        if (content === undefined) throw new DaemonError('not-found', `asset not found: ${path}`);
        const etag = `"${identifier} ${encodeURIComponent(path)}"`;
        sendBytes(reply.raw, content, etag, request.headers['if-none-match']);
      },
    }),
  ];
}

function sendBytes(response: ServerResponse, content: Uint8Array, etag: string, known: string | undefined): void {
  const cache = { ETag: etag, 'Cache-Control': FOREVER };
  if (known?.split(',').some((each) => each.trim() === etag) === true) {
    response.writeHead(304, cache).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': produces, 'Content-Length': content.byteLength, ...cache }).end(content);
}

/** A decoded slash makes the path another one, which does not exist (docs/wire/http-api.md#server). */
function noRoute(reply: FastifyReply): void {
  const body = '{"code":"not_found","message":"route not found"}';
  reply.raw
    .writeHead(404, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length })
    .end(body);
}
