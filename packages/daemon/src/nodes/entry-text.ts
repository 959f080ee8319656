/** Entries as text. What comes from outside is read with bounds: another version, or anybody who can write to Redis, has written it. */
import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';
import { isFingerprint, partOf } from './fingerprint.ts';
import type { DebuggedPlugin, NodeAddress, NodeEntry, NodeRole } from './node.ts';

/** Longer entries are nobody's of this version. */
const LONGEST_ENTRY = 1024 * 1024;
/** The plugins of one part: a node tells of 10,000 in 64 of them. */
const LONGEST_PART = 16 * 1024;
const MOST_ADDRESSES = 32;
const MOST_PLUGINS = 20_000;
const LONGEST_TEXT = 1024;
const roles: readonly NodeRole[] = ['all', 'front', 'runner'];

/** An entry as it was told. */
export interface ToldEntry {
  readonly entry: NodeEntry;
  /** Another one than before: everything was told anew. */
  readonly edition: number;
}

export const entryText = (entry: NodeEntry, edition: number): string => JSON.stringify({ ...entry, edition });

/** @returns undefined for what is no entry */
export function readEntry(text: string): ToldEntry | undefined {
  if (text.length > LONGEST_ENTRY) return undefined;
  const parsed = parseForeign(text);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  const { value } = parsed;
  const role = roles.find((one) => one === value['role']);
  const addresses = listOf(value['addresses'], MOST_ADDRESSES, readAddress);
  if (role === undefined || addresses.length === 0) return undefined;
  const { cores, edition } = value;
  const place = readText(value['place']);
  const entry: NodeEntry = {
    name: readText(value['name']) ?? '',
    version: readText(value['version']) ?? '',
    role,
    state: value['state'] === 'draining' ? 'draining' : 'serving',
    addresses,
    tls: value['tls'] === true,
    cores: typeof cores === 'number' && cores >= 1 && cores <= 65_536 ? cores : 1,
    debugging: listOf(value['debugging'], MOST_PLUGINS, readDebugged),
    ...(place !== undefined && { place }),
  };
  return { entry, edition: typeof edition === 'number' ? edition : 0 };
}

/** The fingerprints of one part; whatever is none, or belongs to another part, is passed over. */
export function readPrints(part: string, text: string): readonly string[] {
  if (text.length > LONGEST_PART) return [];
  return text.split(' ').filter((print) => isFingerprint(print) && partOf(print) === part);
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
