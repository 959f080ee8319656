import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import { drainRefused, expectedBytes, readUpload, type Upload } from '../../http/index.ts';
import type { FunctionRecord } from '../function-store.ts';
import type { Functions } from '../functions.ts';
import { identifierOf } from '../identity.ts';
import type { LaunchEvent, Progress } from '../launch/index.ts';
import { type SriCall, type SriRoute, sendJson } from './routes.ts';

export interface InterfaceRoutesOptions {
  readonly functions: Functions;
  /** Uploads that are being read hold at most this much memory together. */
  readonly uploads: ByteBudget;
  readonly maxPackageBytes: number;
  /** SRI_PUBLIC_URL; without it, the address under which the daemon reaches this server. */
  readonly publicUrl: string | undefined;
}

const UPLOAD = 'context';
/** Proxies close streams on which nothing comes for a minute. */
const KEEP_ALIVE_MS = 15_000;
const MAX_PAGE = 1000;
/** What a daemon may call this server: part of addresses it stores. */
const HOST = /^[a-z0-9.-]{1,253}(:\d{1,5})?$|^\[[0-9a-f:.]{2,45}\](:\d{1,5})?$/i;

/** What daemons ask of an SRI (docs/sri.md#the-interface), and a little that operators need. */
export function interfaceRoutes(options: InterfaceRoutesOptions): readonly SriRoute[] {
  const { functions } = options;
  const addressOf = (record: FunctionRecord, request: IncomingMessage): string =>
    `${baseOf(options, request)}/fn/${record.name}/${record.token}`;
  return [
    {
      methods: ['POST', 'GET'],
      path: '/ping',
      access: 'key',
      summary: 'Whether this is an SRI and the key is right.',
      // The published document says text, the daemon decodes JSON; this is both.
      handle: ({ response }) => sendJson(response, 200, 'pong'),
    },
    {
      methods: ['GET'],
      path: '/v1/runner/instances',
      access: 'key',
      summary: 'The function of a package file; without `filename` all of them, a page at a time (`after`, `limit`).',
      handle: ({ request, response, url }) => {
        const fileName = url.searchParams.get('filename');
        const item = (record: FunctionRecord) => ({
          ID: record.name,
          Name: record.name,
          Endpoint: addressOf(record, request),
          ResourceName: record.identifier,
          Status: { State: 'Active' },
        });
        if (fileName === null) return sendJson(response, 200, { error: '', ...page(functions.list(), url, item) });
        const identifier = identifierOf(fileName);
        const found = identifier === undefined ? undefined : functions.ofIdentifier(identifier);
        sendJson(response, 200, { error: '', Items: found === undefined ? [] : [item(found)] });
      },
    },
    {
      methods: ['DELETE'],
      path: '/v1/runner/instances',
      access: 'key',
      summary: 'Removes the function of a package file, with its environment.',
      handle: async ({ response, url }) => {
        const identifier = identifierOf(url.searchParams.get('filename') ?? '');
        const found = identifier === undefined ? undefined : functions.ofIdentifier(identifier);
        if (found === undefined) return sendJson(response, 404, { error: 'no such function' });
        await functions.remove(found);
        sendJson(response, 200, { error: '' });
      },
    },
    {
      methods: ['POST'],
      path: '/v1/launch',
      access: 'key',
      summary: 'Builds and starts the function of a package, and tells how far it is.',
      handle: async (call) => {
        if (functions.stopping) {
          sendJson(call.response, 503, { error: 'this server is stopping: launch again' }, { 'Retry-After': '5' });
          return drainRefused(call.request);
        }
        const upload = await receive(options, call);
        const identifier = identifierOfUpload(upload);
        if (!functions.hasRoomFor(identifier))
          throw new DaemonError('over-budget', 'this server has as many functions as it may', {
            remedy: 'Remove some (DELETE /v1/runner/instances?filename=…), or raise SRI_MAX_FUNCTIONS',
          });
        await tell(functions.launch(identifier, upload.bytes), call, () => {
          const record = functions.ofIdentifier(identifier);
          return record === undefined
            ? ''
            : `endpoint=${addressOf(record, call.request)},name=${record.name},id=${record.name}`;
        });
      },
    },
  ];
}

function baseOf({ publicUrl }: InterfaceRoutesOptions, { headers }: IncomingMessage): string {
  if (publicUrl !== undefined) return publicUrl;
  const host = headers.host ?? '';
  if (!HOST.test(host))
    throw new DaemonError('bad-request', 'the Host header of the request is no address', {
      remedy: 'Set SRI_PUBLIC_URL to the address under which daemons reach this server',
    });
  return `http://${host}`;
}

function page<T>(records: readonly FunctionRecord[], url: URL, item: (record: FunctionRecord) => T) {
  const after = url.searchParams.get('after') ?? '';
  const asked = Number(url.searchParams.get('limit') ?? MAX_PAGE);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_PAGE) : MAX_PAGE;
  const rest = records.filter(({ name }) => name > after);
  const shown = rest.slice(0, limit);
  return { Items: shown.map(item), ...(rest.length > shown.length && { Next: shown.at(-1)?.name }) };
}

async function receive(options: InterfaceRoutesOptions, { request, signal }: SriCall): Promise<Upload> {
  const limits = { field: UPLOAD, maxFileBytes: options.maxPackageBytes };
  // Given back when the bytes have been read: what follows is checked in threads with limits of their own.
  const release = await options.uploads.acquire(expectedBytes(request, limits), signal);
  try {
    return await readUpload(request, limits, signal);
  } finally {
    release();
  }
}

/** What a package is called: by its metadata, else by its file name. */
function identifierOfUpload({ fileName, fields }: Upload): string {
  const named = identifierOfMetadata(fields.get('metadata')) ?? identifierOf(fileName);
  if (named !== undefined) return named;
  throw new DaemonError('bad-request', 'the upload does not say what package it is', {
    remedy:
      'Name the file <author>@<name>@<version>@<checksum>.difypkg, or send `metadata` with plugin_unique_identifier',
  });
}

function identifierOfMetadata(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const found = isObject(value) ? value.plugin_unique_identifier : undefined;
    return typeof found === 'string' && isUniqueIdentifier(found) ? found : undefined;
  } catch {
    // The file name may say it.
    return undefined;
  }
}

/** Streams a launch to one of those who asked for it, until it is over or they leave. */
async function tell(progress: Progress, { response, signal }: SriCall, address: () => string): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'X-Accel-Buffering': 'no',
  });
  const write = (text: string) => writeIfThere(response, text);
  const stop = progress.follow((event) => write(`data: ${JSON.stringify(located(event, address))}\n\n`));
  const alive = setInterval(() => write(': still at it\n\n'), KEEP_ALIVE_MS);
  const left = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => left.resolve(), { once: true });
  try {
    await Promise.race([progress.ended, left.promise]);
  } finally {
    clearInterval(alive);
    stop();
    response.end();
  }
}

/** Each asker hears the address under which it reaches this server. */
const located = (event: LaunchEvent, address: () => string): LaunchEvent =>
  event.Stage === 'run' && event.State === 'success' ? { ...event, Message: address() } : event;

function writeIfThere(response: ServerResponse, text: string): void {
  if (!response.destroyed && !response.writableEnded) response.write(text);
}
