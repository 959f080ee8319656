/**
 * Which daemon is meant: what the command line says, then the environment, then the daemon whose data directory is at hand, here or
 * in a folder above. Its key is only ever given to the address that stands beside it, or to this machine.
 */
import { dirname, resolve } from 'node:path';
import { DEFAULT_TENANT } from '@plugin-daemon/client';
import { type LocalDaemon, localDaemon } from '@plugin-daemon/daemon';
import type { Flags } from '../command.ts';
import { usageError } from '../errors.ts';

export interface DaemonAddress {
  url: string;
  key: string;
  tenant: string;
  /** Where plugins under debugging connect, `host:port`, as far as it is known. */
  debugging: string | undefined;
  /** The data directory that was used. */
  data: string | undefined;
}

interface Asked {
  flags: Flags;
  env: NodeJS.ProcessEnv;
  cwd: string;
}

const DEFAULT_PORT = '5002';
const DEFAULT_DEBUGGING_PORT = '5003';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const given = (value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : value;

/** @throws CliError (exit 2) for a key that is missing, a tenant that is no UUID, an address that is none */
export async function locateDaemon({ flags, env, cwd }: Asked): Promise<DaemonAddress> {
  const tenant = tenantOf(flags, env);
  const local = findLocal(env, cwd);
  const named = given(flags.text('url')) ?? given(env.DIFY_PLUGIN_DAEMON_URL);
  const url = normalUrl(named ?? local?.url ?? `http://127.0.0.1:${DEFAULT_PORT}`);
  const key =
    given(flags.text('key')) ??
    given(env.DIFY_PLUGIN_DAEMON_KEY) ??
    given(env.SERVER_KEY) ??
    (named === undefined || isLoopback(url) ? local?.serverKey : undefined);
  if (key === undefined)
    throw usageError(
      `the key of the daemon at ${url} is missing`,
      'give its SERVER_KEY with --key or DIFY_PLUGIN_DAEMON_KEY; in the folder of a daemon, and below it, data/keys/server-key is read',
    );
  const debugging =
    (named === undefined || local?.url === url ? local?.debugging : undefined) ??
    `${new URL(url).hostname}:${DEFAULT_DEBUGGING_PORT}`;
  return { url, key, tenant, debugging, data: local?.dataDirectory };
}

function tenantOf(flags: Flags, env: NodeJS.ProcessEnv): string {
  const flag = given(flags.text('tenant'));
  const tenant = flag ?? given(env.DIFY_TENANT_ID);
  if (tenant === undefined) return DEFAULT_TENANT;
  if (UUID.test(tenant)) return tenant.toLowerCase();
  throw usageError(
    `${flag === undefined ? 'DIFY_TENANT_ID' : '--tenant'} "${tenant}" is no UUID`,
    `a tenant looks like ${DEFAULT_TENANT}: Dify takes the id of its workspace. Left out, this one is taken`,
  );
}

function normalUrl(text: string): string {
  const withScheme = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(withScheme) || (withScheme !== text && /^[a-z][a-z0-9+.-]*:\/\//i.test(text)))
    throw usageError(`"${text}" is no address of a daemon`, 'write it like http://127.0.0.1:5002');
  return withScheme.replace(/(?<!\/)\/+$/, '');
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** The daemon that keeps its data in this folder, or in one above. */
function findLocal(env: NodeJS.ProcessEnv, cwd: string): LocalDaemon | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = localDaemon(folder, env);
    if (found.present) return found;
    if (dirname(folder) === folder) return undefined;
  }
}
