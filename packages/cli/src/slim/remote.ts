/** Remote mode: a thin client of the daemon's /v2/invoke routes (docs/wire/cli.md#remote). */
import { DaemonClient, DaemonUnreachableError, type Exchange, sseTexts } from '@plugin-daemon/client';
import { isObject, messageOf } from '@plugin-daemon/values';
import { EnvHttpProxyAgent } from 'undici';
import type { RemoteConfig } from './config.ts';
import type { SlimInput } from './input.ts';
import type { LineSink } from './json-lines.ts';
import { SlimError } from './slim-error.ts';

const TOTAL_MS = 600_000;

interface Asking {
  config: RemoteConfig;
  id: string;
  /** Below `/v2/invoke`. */
  path: string;
  /** Posted; absent: asked for. */
  body?: string;
  signal: AbortSignal;
  limitMs?: number;
}

/** @throws SlimError for a daemon that is not reached, and for every status but 200 */
async function ask<T>(
  { config, id, path, body, signal, limitMs = TOTAL_MS }: Asking,
  read: (answer: Exchange['body']) => Promise<T>,
): Promise<T> {
  // Limits of the whole call are ours; those of the client would cut slow models.
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0 });
  const client = new DaemonClient({ url: config.address, key: config.key, dispatcher });
  try {
    const { status, body: answer } = await client
      .exchange(
        {
          method: body === undefined ? 'GET' : 'POST',
          path: `/v2/invoke${path}`,
          headers: { 'Content-Type': 'application/json', 'X-Api-Key': config.key, 'X-Plugin-Unique-Identifier': id },
          body,
        },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]) },
      )
      .catch((error: unknown) => {
        throw new SlimError(
          'NETWORK_ERROR',
          messageOf(error instanceof DaemonUnreachableError ? error.cause : error),
          error,
        );
      });
    if (status !== 200) throw new SlimError('DAEMON_ERROR', `status ${status}: ${await answer.text()}`);
    return await read(answer);
  } finally {
    await dispatcher.destroy();
  }
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
  const limit = options.timeout === undefined ? {} : { limitMs: options.timeout * 1000 };
  const asking = { config, id: options.id, path: `/dispatch${options.path}`, body, signal: options.signal, ...limit };
  return ask(asking, async (answer) => {
    try {
      for await (const text of sseTexts(answer)) {
        let value: unknown;
        try {
          value = JSON.parse(text);
        } catch {
          throw new SlimError('STREAM_PARSE_ERROR', `invalid JSON in SSE frame: ${text.slice(0, 200)}`);
        }
        if (!options.unwrap || !isObject(value) || !('code' in value)) {
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
      throw new SlimError('STREAM_READ_ERROR', messageOf(error), error);
    }
    await sink.send('done', null);
    return 0;
  });
}

/** The plugin's schema as the daemon has it. */
export function extractRemote(config: RemoteConfig, id: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  return ask({ config, id, path: '/extract', signal }, async (body) => {
    const answer: unknown = await body.json().catch((error: unknown) => {
      throw new SlimError('STREAM_PARSE_ERROR', messageOf(error), error);
    });
    if (!isObject(answer)) throw new SlimError('STREAM_PARSE_ERROR', 'the daemon sent no object');
    if (answer.code !== 0) throw new SlimError('DAEMON_ERROR', String(answer.message));
    return isObject(answer.data) ? answer.data : {};
  });
}
