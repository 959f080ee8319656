/** The existing daemon's records of its nodes (docs/wire/state.md#nodes). Others write them: everything is read with bounds. */

import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import { readAddress } from '../entry-text.ts';
import type { NodeAddress } from '../node.ts';

const LONGEST_RECORD = 256 * 1024;
const MOST_ADDRESSES = 32;
const MOST_VOTES = 1000;

type Fields = Readonly<Record<string, unknown>>;

/** @returns an empty record for what is none */
export function readStatus(text: string): Fields {
  if (text.length > LONGEST_RECORD) return {};
  const parsed = parseForeign(text);
  return parsed.ok && isObject(parsed.value) ? parsed.value : {};
}

/** Seconds since 1970, by the clock of its writer. */
export const pingOf = ({ last_ping_at: ping }: Fields): number => (typeof ping === 'number' ? ping : 0);

interface Address {
  readonly ip: string;
  readonly port: number;
  readonly vote: readonly unknown[];
}

function readAddresses(status: Fields): readonly Address[] {
  const ips = status['ips'];
  if (!Array.isArray(ips)) return [];
  return ips.slice(0, MOST_ADDRESSES).flatMap((item: unknown) => {
    if (!isObject(item)) return [];
    const address = readAddress({ host: item['ip'], port: item['port'] });
    const vote: unknown = item['vote'];
    if (address === undefined) return [];
    return { ip: address.host, port: address.port, vote: Array.isArray(vote) ? vote.slice(0, MOST_VOTES) : [] };
  });
}

/** Where a node of it can be reached: the address that most nodes reached first. */
export function addressesOf(status: Fields): readonly NodeAddress[] {
  const good = ({ vote }: Address): number => vote.filter((one) => isObject(one) && one['failed'] === false).length;
  return [...readAddresses(status)]
    .sort((one, other) => good(other) - good(one))
    .map(({ ip, port }) => ({ host: ip, port }));
}

/** Our entry: the addresses we have now, with the votes that those got. */
export function statusText(before: Fields, addresses: readonly NodeAddress[], nowSeconds: number): string {
  const known = readAddresses(before);
  const ips = addresses.map(({ host, port }) => ({
    ip: host,
    port,
    vote: known.find((one) => one.ip === host && one.port === port)?.vote ?? [],
  }));
  return JSON.stringify({ ips, last_ping_at: nowSeconds });
}

/** What each node runs, by its id: the identifiers in the fields `node:hash`. */
export function readStates(fields: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [field, text] of fields) {
    const nodeId = field.slice(0, field.lastIndexOf(':'));
    const identity = readStatus(text)['identity'];
    if (nodeId === '' || typeof identity !== 'string' || !isUniqueIdentifier(identity)) continue;
    const identifiers = found.get(nodeId) ?? [];
    identifiers.push(identity);
    found.set(nodeId, identifiers);
  }
  return found;
}
