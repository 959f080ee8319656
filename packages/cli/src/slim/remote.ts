/** Remote mode: a thin client of the daemon's /v2/invoke routes (docs/wire/cli.md#remote). */
import { EnvHttpProxyAgent, fetch, type RequestInit } from 'undici';
import { isRecord } from '../record.ts';
import type { RemoteConfig } from './config.ts';
import type { SlimInput } from './input.ts';
import type { LineSink } from './json-lines.ts';
import { SlimError } from './slim-error.ts';

const TOTAL_MS = 600_000;

async function ask<T>(
  config: RemoteConfig,
  id: string,
  path: string,
  init: RequestInit,
  signal: AbortSignal,
  read: (response: Awaited<ReturnType<typeof fetch>>) => Promise<T>,
  limitMs = TOTAL_MS,
): Promise<T> {
  // Limits of the whole call are ours; those of the client would cut slow models.
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0 });
  try {
    let response: Awaited<ReturnType<typeof fetch>>;
    try {
      response = await fetch(`${config.address}/v2/invoke${path}`, {
        ...init,
        dispatcher,
        signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
        headers: { 'Content-Type': 'application/json', 'X-Api-Key': config.key, 'X-Plugin-Unique-Identifier': id },
      });
    } catch (error) {
      throw new SlimError(
        'NETWORK_ERROR',
        error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error),
        error,
      );
    }
    if (response.status !== 200)
      throw new SlimError('DAEMON_ERROR', `status ${response.status}: ${await response.text()}`);
    return await read(response);
  } finally {
    await dispatcher.destroy();
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of body) {
    const pieces = (rest + decoder.decode(part, { stream: true })).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield piece.replace(/\r$/, '');
  }
  if (rest !== '') yield rest;
}

export interface RemoteOptions {
  id: string;
  path: string;
  input: SlimInput;
  sink: LineSink;
  signal: AbortSignal;
  /** Give the `data` of the daemon's envelope instead of the whole, and its errors as `error` events. */
  unwrap: boolean;
  strict: boolean;
  /** Seconds, instead of ten minutes. */
  timeout: number | undefined;
}

/** @returns the exit code */
export function runRemote(config: RemoteConfig, options: RemoteOptions): Promise<number> {
  const { input, sink } = options;
  const body = JSON.stringify({ tenant_id: input.tenantId, user_id: input.userId, data: input.data });
  return ask(
    config,
    options.id,
    `/dispatch${options.path}`,
    { method: 'POST', body },
    options.signal,
    async (response) => {
      try {
        for await (const line of lines(response.body ?? (async function* () {})())) {
          if (!line.startsWith('data:')) continue;
          const text = line.slice('data:'.length).trim();
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch {
            throw new SlimError('STREAM_PARSE_ERROR', `invalid JSON in SSE frame: ${text.slice(0, 200)}`);
          }
          if (!options.unwrap || !isRecord(value) || !('code' in value)) {
            await sink.raw('chunk', text);
            continue;
          }
          if (value.code !== 0) {
            await sink.send('error', { code: 'DAEMON_ERROR', message: String(value.message) });
            return options.strict ? 1 : 0;
          }
          await sink.send('chunk', value.data);
        }
      } catch (error) {
        if (error instanceof SlimError) throw error;
        throw new SlimError('STREAM_READ_ERROR', error instanceof Error ? error.message : String(error), error);
      }
      await sink.send('done', null);
      return 0;
    },
    options.timeout === undefined ? TOTAL_MS : options.timeout * 1000,
  );
}

/** The plugin's schema as the daemon has it. */
export function extractRemote(config: RemoteConfig, id: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  return ask(config, id, '/extract', { method: 'GET' }, signal, async (response) => {
    const answer: unknown = await response.json().catch((error: unknown) => {
      throw new SlimError('STREAM_PARSE_ERROR', error instanceof Error ? error.message : String(error), error);
    });
    if (!isRecord(answer)) throw new SlimError('STREAM_PARSE_ERROR', 'the daemon sent no object');
    if (answer.code !== 0) throw new SlimError('DAEMON_ERROR', String(answer.message));
    return isRecord(answer.data) ? answer.data : {};
  });
}
