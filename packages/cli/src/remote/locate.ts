/**
 * Which daemon is meant: what the command line says, then the environment, then the daemon whose data directory is at hand, here or
 * in a folder above. Its key is only ever given to the address that stands beside it, or to this machine.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_TENANT } from '@plugin-daemon/client';
import type { Flags } from '../command.ts';
import { CliError, systemCode, usageError } from '../errors.ts';
import { readEnvFile } from '../files/env-file.ts';

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

/** A data directory of a daemon and the settings beside it. */
interface LocalDaemon {
  data: string;
  url: string | undefined;
  debugging: string | undefined;
  key: string | undefined;
}

const DEFAULT_PORT = '5002';
const DEFAULT_DEBUGGING_PORT = '5003';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const given = (value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : value;

/** @throws CliError (exit 2) for a key that is missing, a tenant that is no UUID, an address that is none */
export async function locateDaemon({ flags, env, cwd }: Asked): Promise<DaemonAddress> {
  const tenant = tenantOf(flags, env);
  const local = await findLocal(env, cwd);
  const named = given(flags.text('url')) ?? given(env.DIFY_PLUGIN_DAEMON_URL);
  const url = normalUrl(named ?? local?.url ?? `http://127.0.0.1:${DEFAULT_PORT}`);
  const key =
    given(flags.text('key')) ??
    given(env.DIFY_PLUGIN_DAEMON_KEY) ??
    given(env.SERVER_KEY) ??
    (named === undefined || isLoopback(url) ? local?.key : undefined);
  if (key === undefined)
    throw usageError(
      `the key of the daemon at ${url} is missing`,
      'give its SERVER_KEY with --key or DIFY_PLUGIN_DAEMON_KEY; in the folder of a daemon, and below it, data/keys/server-key is read',
    );
  const debugging =
    (named === undefined || local?.url === url ? local?.debugging : undefined) ??
    `${new URL(url).hostname}:${DEFAULT_DEBUGGING_PORT}`;
  return { url, key, tenant, debugging, data: local?.data };
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
  if (!URL.canParse(withScheme))
    throw usageError(`"${text}" is no address of a daemon`, 'write it like http://127.0.0.1:5002');
  return withScheme.replace(/(?<!\/)\/+$/, '');
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

async function findLocal(env: NodeJS.ProcessEnv, cwd: string): Promise<LocalDaemon | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = await localAt(folder, env);
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The daemon that keeps its data in this folder, if one does and it is this user's. */
async function localAt(folder: string, env: NodeJS.ProcessEnv): Promise<LocalDaemon | undefined> {
  const file = await readEnvFile(join(folder, '.env')).catch(() => ({}) as Record<string, string>);
  const setting = (name: string): string | undefined => given(env[name]) ?? given(file[name]);
  const data = resolve(folder, setting('DATA_DIR') ?? 'data');
  // Somebody else's directory would say where this user's key is sent.
  if (!(await isOwn(data))) return undefined;
  const stored = (await readText(join(data, 'keys', 'server-key')))?.trim();
  const key = given(file.SERVER_KEY) ?? given(stored);
  const address = parsed(await readText(join(data, 'address.json')));
  if (key === undefined && address === undefined) return undefined;
  return {
    data,
    key,
    url: textIn(address, 'url') ?? fromSettings(setting('SERVER_HOST'), setting('SERVER_PORT')),
    debugging:
      textIn(address, 'debugging') ??
      fromSettings(
        setting('PLUGIN_REMOTE_INSTALLING_HOST'),
        setting('PLUGIN_REMOTE_INSTALLING_PORT') ?? DEFAULT_DEBUGGING_PORT,
      )?.replace('http://', ''),
  };
}

/** Where a daemon with these settings is reached from its own machine. */
function fromSettings(host: string | undefined, port: string | undefined): string | undefined {
  if (port === undefined) return undefined;
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function isOwn(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return false;
  return process.getuid === undefined || info.uid === process.getuid();
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES') return undefined;
    throw new CliError('unreadable', `${path}: cannot be read`, { file: path, cause: error });
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Half a file of a daemon that just starts: the settings say the same.
    return undefined;
  }
}

function textIn(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, name);
  return typeof found === 'string' ? given(found) : undefined;
}
