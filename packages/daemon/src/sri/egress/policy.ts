import { BlockList, isIP } from 'node:net';
import type { EgressPolicy, EgressRule } from '../../config/index.ts';

export type { EgressPolicy } from '../../config/index.ts';

/** @param host a name or an address, as the function wrote it */
export function isAllowed(policy: EgressPolicy, host: string, port: number): boolean {
  if (policy === 'all') return true;
  const name = host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[|\]$/g, '');
  return policy.some((rule) => (rule.port === undefined || rule.port === port) && fits(rule, name));
}

function fits({ host, network }: EgressRule, name: string): boolean {
  if (network !== undefined) {
    const family = isIP(name);
    if (family === 0 || family !== isIP(network.address)) return false;
    const list = new BlockList();
    list.addSubnet(network.address, network.bits, family === 4 ? 'ipv4' : 'ipv6');
    return list.check(name, family === 4 ? 'ipv4' : 'ipv6');
  }
  if (host === undefined) return false;
  return host.startsWith('*.') ? name.endsWith(host.slice(1)) && name.length > host.length - 1 : name === host;
}
