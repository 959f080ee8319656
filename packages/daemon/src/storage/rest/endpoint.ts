import { isIP } from 'node:net';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/**
 * An endpoint as people write it, with a scheme or without: then it is https, as credentials go with it.
 * @throws DaemonError when it is neither
 */
export function endpointUrl(setting: string, text: string): URL {
  const parsed = URL.parse(/^[a-z]+:\/\//i.test(text.trim()) ? text.trim() : `https://${text.trim()}`);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.search !== '') {
    throw new DaemonError('internal', `${setting} is not the address of a store`, {
      remedy: 'write a host, or https:// or http:// and a host, with a port if need be',
    });
  }
  return parsed;
}

/** Where a bucket is asked: in the name of the host, or in the path on request and where the host is a number. */
export function hosted(endpoint: URL, bucket: string, { pathStyle = false } = {}) {
  const { protocol, host, hostname } = endpoint;
  if (pathStyle || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) {
    return { origin: `${protocol}//${host}`, basePath: `/${bucket}/` };
  }
  return { origin: `${protocol}//${bucket}.${host}`, basePath: '/' };
}
