import { EnvHttpProxyAgent } from 'undici';
import type { Proxies } from './installer-environment.ts';

/** A client that goes out the way uv goes: through these proxies and no others ('' keeps undici from reading the environment). */
export function proxyAgent(proxies: Proxies, ca?: Buffer): EnvHttpProxyAgent {
  return new EnvHttpProxyAgent({
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.no ?? '',
    ...(ca === undefined ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }),
  });
}
