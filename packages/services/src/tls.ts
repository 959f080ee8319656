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
  /** Of a client named `certified`. */
  readonly clientCert: string;
  readonly clientKey: string;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

interface Signed {
  readonly subject: string;
  readonly extensions: string;
}

const ofServer: Signed = {
  subject: 'server',
  extensions: 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
};

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: 'ignore' });
};

/** A key and its certificate, signed by the CA of the directory. */
function signed(directory: string, name: string, { subject, extensions }: Signed, key = curve) {
  const at = (file: string): string => join(directory, file);
  const files = { cert: at(`${name}.crt`), key: at(`${name}.key`) };
  const [request, extra] = [at(`${name}.csr`), at(`${name}.ext`)];
  writeFileSync(extra, extensions);
  openssl('req', ...key, '-keyout', files.key, '-out', request, '-subj', `/CN=${subject}`);
  const ca = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial'];
  openssl('x509', '-req', '-in', request, ...ca, '-days', '30', '-out', files.cert, '-extfile', extra);
  chmodSync(files.key, 0o600);
  return files;
}

/** The server's with RSA, which alone servers of some years take; made when it is asked for. */
export const rsaServer = ({ directory }: Pick<TlsFiles, 'directory'>) =>
  signed(directory, 'rsa', ofServer, ['-newkey', 'rsa:2048', '-nodes']);

export function createTlsFiles(directory: string): TlsFiles {
  mkdirSync(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
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
  signed(directory, 'server', ofServer);
  signed(directory, 'client', { subject: 'certified', extensions: 'extendedKeyUsage=clientAuth\n' });
  return {
    directory,
    ca: at('ca.crt'),
    otherCa: at('other-ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
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
