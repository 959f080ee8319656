import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveTo } from './server-user.ts';

/** PEM files, all in one directory. */
export interface TlsFiles {
  readonly directory: string;
  readonly ca: string;
  /** Of a CA that has signed nothing here. */
  readonly otherCa: string;
  /** For `localhost` and 127.0.0.1. */
  readonly serverCert: string;
  readonly serverKey: string;
  /** The same server's with RSA, which alone servers of some years take. */
  readonly rsaCert: string;
  readonly rsaKey: string;
  /** Of a client named `certified`. */
  readonly clientCert: string;
  readonly clientKey: string;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function createTlsFiles(directory: string): TlsFiles {
  mkdirSync(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore' });
  };
  for (const name of ['ca', 'other-ca']) {
    const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    openssl(
      'req',
      '-x509',
      ...curve,
      '-days',
      '30',
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.crt`),
      '-subj',
      `/CN=${name}`,
      ...extensions,
    );
  }
  const sign = (name: string, subject: string, extensions: string, key = curve): void => {
    writeFileSync(at(`${name}.ext`), extensions);
    openssl('req', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${subject}`);
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at('ca.crt'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '30',
      '-out',
      at(`${name}.crt`),
      '-extfile',
      at(`${name}.ext`),
    );
    chmodSync(at(`${name}.key`), 0o600);
  };
  const ofServer = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n';
  sign('server', 'server', ofServer);
  sign('rsa', 'server', ofServer, ['-newkey', 'rsa:2048', '-nodes']);
  sign('client', 'certified', 'extendedKeyUsage=clientAuth\n');
  return {
    directory,
    ca: at('ca.crt'),
    otherCa: at('other-ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    rsaCert: at('rsa.crt'),
    rsaKey: at('rsa.key'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
  };
}

/** The files for a server that runs as another user: keys have to be its own. */
export function tlsFor(
  user: string,
  tls: TlsFiles,
  directory: string,
): Pick<TlsFiles, 'ca' | 'serverCert' | 'serverKey'> {
  const copied = {
    ca: join(directory, 'ca.crt'),
    serverCert: join(directory, 'server.crt'),
    serverKey: join(directory, 'server.key'),
  };
  copyFileSync(tls.ca, copied.ca);
  copyFileSync(tls.serverCert, copied.serverCert);
  copyFileSync(tls.serverKey, copied.serverKey);
  chmodSync(copied.serverKey, 0o600);
  giveTo(user, directory);
  return copied;
}
