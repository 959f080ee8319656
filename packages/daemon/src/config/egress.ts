import { isIP } from 'node:net';
import { InvalidValue } from './setting.ts';

/** Where functions may connect to. `all`: wherever this machine can; else to what is listed, and nowhere else. */
export type EgressPolicy = 'all' | readonly EgressRule[];

export interface EgressRule {
  /** The host, lower case; with `*.` in front all below it. Undefined for networks. */
  readonly host?: string;
  readonly network?: { readonly address: string; readonly bits: number };
  /** Any unless given. */
  readonly port?: number;
}

const RULE = /^(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/;
const NETWORK = /^([0-9.]{7,15}|[0-9a-f:]{2,39})\/(\d{1,3})$/;

/** Reads one entry: `api.example.org`, `*.example.org`, `10.0.0.7:8080`, `10.0.0.0/8`. Undefined when it is none of these. */
export function parseRule(text: string): EgressRule | undefined {
  const entry = text.trim().toLowerCase();
  const network = NETWORK.exec(entry);
  if (network !== null) {
    const [, address = '', bits] = network;
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    return family === 0 || Number(bits) > most ? undefined : { network: { address, bits: Number(bits) } };
  }
  const bare = /^\[?([0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*)\]?$/.exec(entry)?.[1];
  if (bare !== undefined && isIP(bare) === 6) return { host: bare };
  const match = RULE.exec(entry);
  if (match === null) return undefined;
  const [, wild = '', host = '', port] = match;
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535)) return undefined;
  return { host: `${wild}${host}`, ...(port !== undefined && { port: Number(port) }) };
}

/** `all`, `none`, or a list of rules. @throws InvalidValue */
export function parseEgress(raw: string): EgressPolicy {
  const entries = raw
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const [first = ''] = entries;
  if (entries.length === 1 && first.toLowerCase() === 'all') return 'all';
  if (entries.length === 1 && first.toLowerCase() === 'none') return [];
  return entries.map((entry) => {
    const rule = /^(all|none)$/i.test(entry) ? undefined : parseRule(entry);
    if (rule !== undefined) return rule;
    throw new InvalidValue(
      `names ${entry.slice(0, 60)}, which is no host and no network`,
      'write all, none, or a list such as api.example.org,*.example.net,10.0.0.0/8',
    );
  });
}
