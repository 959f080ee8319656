/** Entries as text. What comes from outside is read with bounds: another version, or anybody who can write to Redis, has written it. */
import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';
import type { DebuggedPlugin, NodeAddress, NodeEntry, NodeRole } from './node.ts';

/** Longer entries are nobody's of this version. */
const LONGEST_ENTRY = 1024 * 1024;
const MOST_ADDRESSES = 32;
const MOST_PLUGINS = 20_000;
const LONGEST_TEXT = 1024;
const roles: readonly NodeRole[] = ['all', 'front', 'runner'];

export const entryText = (entry: NodeEntry): string => JSON.stringify(entry);

/** @returns undefined for what is no entry */
export function readEntry(text: string): NodeEntry | undefined {
  if (text.length > LONGEST_ENTRY) return undefined;
  const parsed = parseForeign(text);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  const { value } = parsed;
  const role = roles.find((one) => one === value['role']);
  const addresses = listOf(value['addresses'], MOST_ADDRESSES, readAddress);
  if (role === undefined || addresses.length === 0) return undefined;
  const cores = value['cores'];
  const place = readText(value['place']);
  return {
    name: readText(value['name']) ?? '',
    version: readText(value['version']) ?? '',
    role,
    state: value['state'] === 'draining' ? 'draining' : 'serving',
    addresses,
    tls: value['tls'] === true,
    cores: typeof cores === 'number' && cores >= 1 && cores <= 65_536 ? cores : 1,
    warm: listOf(value['warm'], MOST_PLUGINS, readText),
    debugging: listOf(value['debugging'], MOST_PLUGINS, readDebugged),
    ...(place !== undefined && { place }),
  };
}

function listOf<T>(value: unknown, most: number, read: (item: unknown) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, most).flatMap((item: unknown) => read(item) ?? []);
}

const readText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= LONGEST_TEXT ? value : undefined;

export function readAddress(value: unknown): NodeAddress | undefined {
  if (!isObject(value)) return undefined;
  const host = readText(value['host']);
  const port = value['port'];
  // What would make another URL of it is no host.
  if (host === undefined || !/^[0-9a-z._:-]+$/i.test(host)) return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

function readDebugged(value: unknown): DebuggedPlugin | undefined {
  if (!isObject(value)) return undefined;
  const [tenantId, pluginId, identifier] = ['tenantId', 'pluginId', 'identifier'].map((name) => readText(value[name]));
  if (tenantId === undefined || pluginId === undefined || identifier === undefined) return undefined;
  return { tenantId, pluginId, identifier };
}
