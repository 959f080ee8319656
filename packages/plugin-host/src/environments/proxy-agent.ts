import type { EnvHttpProxyAgent } from 'undici';
import type { Proxies } from './installer-environment.ts';

/**
 * A client that goes out the way uv goes: through these proxies and no others ('' keeps undici from reading the environment).
 * The HTTP client is loaded when it is needed: most daemons never fetch anything themselves.
 */
export async function proxyAgent(proxies: Proxies, ca?: Buffer): Promise<EnvHttpProxyAgent> {
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.no ?? '',
    ...(ca === undefined ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }),
  });
}
