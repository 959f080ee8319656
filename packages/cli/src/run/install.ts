/** `plugin install`: uploads a package to a daemon and follows the installation to its end. */
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvHttpProxyAgent, FormData, fetch } from 'undici';
import type { Call, Outcome } from '../command-line/types.ts';
import { CliError, usageError } from '../errors.ts';
import { startProgress } from '../output/progress.ts';
import { readPackageFile } from '../plugin/source.ts';
import { isRecord } from './plugin-host.ts';

interface Daemon {
  url: string;
  key: string;
  tenant: string;
  dispatcher: EnvHttpProxyAgent;
  signal: AbortSignal;
}

async function request(daemon: Daemon, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  const url = `${daemon.url}/plugin/${encodeURIComponent(daemon.tenant)}/management${path}`;
  const form = body instanceof FormData;
  let response: Awaited<ReturnType<typeof fetch>>;
  try {
    response = await fetch(url, {
      method,
      headers: {
        'X-Api-Key': daemon.key,
        ...(form || body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
      dispatcher: daemon.dispatcher,
      signal: daemon.signal,
    });
  } catch (error) {
    if (daemon.signal.aborted) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError('unreachable', `${daemon.url} cannot be reached: ${cause}`, {
      cause: error,
      remedy: 'check --url, and that the daemon runs: dify doctor --url <address>',
    });
  }
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (response.status === 401)
    throw new CliError('unauthorized', 'the daemon refused the key', {
      remedy: 'give the SERVER_KEY of the daemon with --key or DIFY_PLUGIN_DAEMON_KEY',
    });
  if (!isRecord(answer)) throw new CliError('daemon', `the daemon answered ${response.status}: ${text.slice(0, 300)}`);
  if (answer.code !== 0)
    throw new CliError('refused', readable(answer.message), {
      remedy: readable(answer.message).includes('bad signature')
        ? 'sign the package, or run the daemon with FORCE_VERIFYING_SIGNATURE=false'
        : 'dify plugin validate shows problems of the package',
    });
  return answer.data;
}

/** Errors of the daemon carry JSON in their message. */
function readable(message: unknown): string {
  const text = String(message);
  try {
    const inner: unknown = JSON.parse(text);
    return isRecord(inner) && typeof inner.message === 'string' ? inner.message : text;
  } catch {
    return text;
  }
}

export async function run({ args, flags, env, io, signal }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const key = flags.text('key') ?? env.DIFY_PLUGIN_DAEMON_KEY ?? env.SERVER_KEY;
  const tenant = flags.text('tenant') ?? env.DIFY_TENANT_ID;
  if (key === undefined || key === '')
    throw usageError('the key of the daemon is missing', 'give --key, or set DIFY_PLUGIN_DAEMON_KEY');
  if (tenant === undefined || tenant === '')
    throw usageError('the tenant is missing', 'give --tenant, or set DIFY_TENANT_ID');
  const url = flags.text('url') ?? env.DIFY_PLUGIN_DAEMON_URL ?? 'http://127.0.0.1:5002';
  const bytes = await readPackageFile(path);
  const daemon: Daemon = { url: url.replace(/\/+$/, ''), key, tenant, dispatcher: new EnvHttpProxyAgent(), signal };
  const progress = startProgress(io);
  try {
    const form = new FormData();
    form.append('dify_pkg', new Blob([Uint8Array.from(bytes)]), basename(path));
    form.append('verify_signature', 'false');
    const uploaded = await request(daemon, 'POST', '/install/upload/package', form);
    const identifier = isRecord(uploaded) ? String(uploaded.unique_identifier) : '';
    io.info('package uploaded', { plugin: identifier });
    const started = await request(daemon, 'POST', '/install/identifiers', {
      plugin_unique_identifiers: [identifier],
      source: 'package',
      metas: [{}],
    });
    const task = isRecord(started) ? String(started.task_id) : '';
    if (isRecord(started) && started.all_installed === true) {
      io.info('the tenant has this plugin installed already', { plugin: identifier });
      return { text: identifier, data: { unique_identifier: identifier, already_installed: true } };
    }
    for (let shown = ''; ; await sleep(500, undefined, { signal })) {
      const state = await request(daemon, 'GET', `/install/tasks/${task}`);
      const [item] = isRecord(state) && Array.isArray(state.plugins) ? state.plugins : [];
      const message = isRecord(item) ? String(item.message ?? '') : '';
      if (message !== shown && message !== '') io.debug(message);
      shown = message;
      progress.update(message);
      const status = isRecord(state) ? state.status : undefined;
      if (status === 'success') break;
      if (status === 'failed') throw new CliError('install-failed', `the installation failed: ${message}`);
    }
    io.info('plugin installed', { plugin: identifier });
    return { text: identifier, data: { unique_identifier: identifier, task_id: task } };
  } finally {
    progress.end();
    await daemon.dispatcher.close();
  }
}
