/** A daemon opened for one command: the typed client, and its refusals in the words of the command line. */
import {
  DaemonAnswerError,
  DaemonClient,
  DaemonUnreachableError,
  type Installation,
  InstallFailedError,
  UnexpectedAnswerError,
} from '@plugin-daemon/client';
import { EnvHttpProxyAgent } from 'undici';
import type { Call } from '../command.ts';
import { CliError } from '../errors.ts';
import { type DaemonAddress, locateDaemon } from './locate.ts';

export interface RemoteDaemon {
  client: DaemonClient;
  address: DaemonAddress;
}

/** Finds the daemon, lets `work` use it, closes the connections. */
export async function withDaemon<T>(call: Call, work: (daemon: RemoteDaemon) => Promise<T>): Promise<T> {
  const address = await locateDaemon(call);
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0 });
  const client = new DaemonClient({ ...address, dispatcher });
  try {
    return await work({ client, address });
  } catch (error) {
    throw call.signal.aborted ? error : inOurWords(error, address);
  } finally {
    await client[Symbol.asyncDispose]();
    await dispatcher.destroy();
  }
}

function inOurWords(error: unknown, { url }: DaemonAddress): unknown {
  if (error instanceof DaemonUnreachableError)
    return new CliError('unreachable', error.message, {
      cause: error,
      remedy: 'start the daemon, or name the right one with --url; dify doctor --url <address> looks closer',
    });
  const status = error instanceof UnexpectedAnswerError || error instanceof DaemonAnswerError ? error.status : 0;
  if (status === 401)
    return new CliError('unauthorized', `the daemon at ${url} refused the key`, {
      cause: error,
      remedy: 'give its SERVER_KEY with --key or DIFY_PLUGIN_DAEMON_KEY',
    });
  if (error instanceof UnexpectedAnswerError)
    return new CliError('daemon', `${url}: ${error.message}`, {
      cause: error,
      remedy: 'name the address of the plugin daemon (port 5002 unless it was changed), not that of Dify',
    });
  if (error instanceof InstallFailedError) return new CliError('install-failed', error.message, { cause: error });
  if (!(error instanceof DaemonAnswerError)) return error;
  return new CliError('refused', error.message, { cause: error });
}

/** Rows the daemon gives at a time. */
const PAGE = 256;

/** All installations of the tenant, by name. */
export async function allInstallations({ client }: RemoteDaemon, signal: AbortSignal): Promise<Installation[]> {
  const rows: Installation[] = [];
  for (let page = 1; ; page++) {
    const { list, total } = await client.call('listInstallations', { page, page_size: PAGE }, { signal });
    rows.push(...list);
    if (list.length < PAGE || rows.length >= total) break;
  }
  return rows.toSorted((a, b) => (a.plugin_id < b.plugin_id ? -1 : 1));
}

/** What the tenant has of a plugin. */
export async function installationOf(
  { client }: RemoteDaemon,
  pluginId: string,
  signal: AbortSignal,
): Promise<{ id: string; identifier: string; runtime: string; version: string } | undefined> {
  const [row] = await client.call('findInstallations', { body: { plugin_ids: [pluginId] } }, { signal });
  if (row === undefined) return undefined;
  return { id: row.id, identifier: row.plugin_unique_identifier, runtime: row.runtime_type, version: row.version };
}
