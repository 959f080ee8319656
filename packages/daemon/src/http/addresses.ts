/** Addresses of clients: which are a proxy's, and which count as one. */
import { BlockList, isIP } from 'node:net';

/** Written by Node where an IPv4 client comes in on an IPv6 socket. */
const MAPPED = '::ffff:';

const plainAddress = (address: string): string =>
  address.startsWith(MAPPED) && isIP(address.slice(MAPPED.length)) === 4 ? address.slice(MAPPED.length) : address;

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** A check whether an address lies in one of the networks (`10.0.0.0/8`) or is one of the addresses. @throws when one is neither */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
  };
}

let loopback: ((address: string) => boolean) | undefined;

export function isLoopbackAddress(address: string): boolean {
  // Made when it is asked for the first time: Node's pattern of an IPv6 address takes milliseconds to compile.
  loopback ??= inNetworks(['127.0.0.0/8', '::1']);
  return loopback(address);
}

/** What limits per address count by: the address itself, or the /64 network of an IPv6 address, which is one customer's. */
export function countedAddress(address: string | undefined): string {
  const plain = plainAddress(address ?? '');
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = (plain.split('%', 1)[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
