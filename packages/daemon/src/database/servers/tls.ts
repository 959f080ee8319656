import { readFileSync } from 'node:fs';
import { DatabaseError } from '../database-error.ts';
import type { ServerOptions } from './server-options.ts';

export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
  /** Whether the certificate has to be for the host. */
  readonly verifyHost: boolean;
}

/**
 * What the mode asks for; undefined without TLS.
 * @param requireVerifies what `require` means for this kind of server without a root certificate
 * @throws DatabaseError when a file cannot be read
 */
export function tlsOptions({ tls }: ServerOptions, requireVerifies: boolean): TlsOptions | undefined {
  const { mode, rootCertificate, certificate, key } = tls;
  if (mode === 'disable') return undefined;
  const files = {
    ...(rootCertificate !== undefined && { ca: read('DB_SSL_ROOT_CERT', rootCertificate) }),
    ...(certificate !== undefined && { cert: read('DB_SSL_CERT', certificate) }),
    ...(key !== undefined && { key: read('DB_SSL_KEY', key) }),
  };
  // As in libpq, a root certificate is there to be used.
  const requireChecks = requireVerifies || rootCertificate !== undefined;
  return {
    ...files,
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && requireChecks),
    verifyHost: mode === 'verify-full' || (mode === 'require' && requireVerifies),
  };
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DatabaseError('denied', `the file of ${variable} cannot be read: ${String(cause)}`, {
      cause,
      remedy: `set ${variable} to a PEM file that the user of the daemon may read`,
    });
  }
}
