import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { provided, skipReason } from '@plugin-daemon/services';
import { afterAll, describe, expect, test } from 'vitest';
import { openDatabase, type TlsMode } from '../index.ts';
import { connectRaw, freshDatabase, type ServerDatabase } from '../testing/servers.ts';

const directory = process.env.TEST_TLS_DIRECTORY ?? '';
const file = (name: string) => join(directory, name);

interface Case {
  readonly mode: TlsMode;
  readonly rootCertificate?: string;
  readonly host?: string;
  /** What it ends with; without it the connection is encrypted. */
  readonly fails?: object;
}

const untrusted = { failure: 'denied', message: expect.stringContaining('not trusted') };
const verified: readonly Case[] = [
  { mode: 'verify-full', rootCertificate: 'ca.crt', host: 'localhost' },
  { mode: 'verify-full', rootCertificate: 'other-ca.crt', host: 'localhost', fails: untrusted },
  { mode: 'verify-full', host: 'localhost', fails: untrusted },
  { mode: 'verify-ca', rootCertificate: 'ca.crt', host: '127.0.0.2' },
  { mode: 'verify-ca', rootCertificate: 'other-ca.crt', fails: untrusted },
  { mode: 'require', rootCertificate: 'other-ca.crt', host: 'localhost', fails: untrusted },
  { mode: 'prefer' },
  {
    mode: 'verify-full',
    rootCertificate: 'missing.crt',
    fails: { message: expect.stringContaining('DB_SSL_ROOT_CERT') },
  },
];
const mysql: readonly Case[] = [
  ...verified,
  { mode: 'require', rootCertificate: 'ca.crt', host: 'localhost' },
  { mode: 'require', host: 'localhost', fails: untrusted },
  // mysql2 cannot check an address, and must not pass it over.
  {
    mode: 'verify-full',
    rootCertificate: 'ca.crt',
    fails: { message: expect.stringContaining('DB_HOST is an address') },
  },
];
const cases: Readonly<Record<'postgresql' | 'mariadb' | 'mysql', readonly Case[]>> = {
  postgresql: [
    ...verified,
    { mode: 'require' },
    { mode: 'verify-full', rootCertificate: 'ca.crt' },
    { mode: 'verify-full', rootCertificate: 'ca.crt', host: '127.0.0.2', fails: untrusted },
  ],
  mariadb: mysql,
  mysql,
};

describe.each(['postgresql', 'mariadb', 'mysql'] as const)('TLS to %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  const plain = freshDatabase(server);
  const proxies: Server[] = [];
  afterAll(() => {
    for (const proxy of proxies) proxy.close();
  });

  /** The server under another address, for which its certificate is not; `first` may answer for it. */
  async function proxied(
    first?: (client: Socket, bytes: Buffer) => boolean,
  ): Promise<Pick<ServerDatabase, 'host' | 'port'>> {
    const proxy = createServer((client) => {
      const upstream = connect(plain.port, plain.host);
      for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
      const pass = () => client.pipe(upstream);
      if (first === undefined) pass();
      else {
        client.once('data', (bytes: Buffer) => {
          if (!first(client, bytes)) upstream.write(bytes);
          pass();
        });
      }
      upstream.pipe(client);
    });
    proxies.push(proxy);
    proxy.listen(0, '127.0.0.2');
    await once(proxy, 'listening');
    return { host: '127.0.0.2', port: (proxy.address() as AddressInfo).port };
  }

  test.each(cases[server])('$mode with $rootCertificate at $host', async ({ mode, rootCertificate, host, fails }) => {
    const place = host === '127.0.0.2' ? await proxied() : { host: host ?? plain.host };
    const tls = { mode, ...(rootCertificate !== undefined && { rootCertificate: file(rootCertificate) }) };
    const opening = openDatabase({ ...plain, ...place, tls });
    if (fails !== undefined) {
      await expect(opening).rejects.toMatchObject(fails);
      return;
    }
    const database = await opening;
    expect(await encryptedConnections()).toBeGreaterThan(0);
    await database.close();
  });

  async function encryptedConnections(): Promise<number> {
    await using raw = await connectRaw(plain);
    const [row] = await raw.query(
      plain.type === 'postgresql'
        ? `select count(*) as n from pg_stat_ssl join pg_stat_activity using (pid) where ssl and datname = '${plain.database}'`
        : // The server counts what it has accepted; this very connection is plain.
          "show global status like 'Ssl_finished_accepts'",
    );
    return Number(row?.n ?? row?.Value);
  }

  test('a client certificate lets in who has no password', async () => {
    const certified = { ...plain, host: 'localhost', user: 'certified', password: '' };
    const tls = { mode: 'verify-full', rootCertificate: file('ca.crt') } as const;
    await expect(openDatabase({ ...certified, tls })).rejects.toMatchObject({ failure: 'denied' });
    const withCertificate = { ...tls, certificate: file('client.crt'), key: file('client.key') };
    const database = await openDatabase({ ...certified, database: `${plain.database}_own`, tls: withCertificate });
    await database.ping();
    await database.close();
    await using raw = await connectRaw(plain, plain.defaultDatabase);
    await raw.query(`drop database ${plain.database}_own`);
  });

  test('a password that is wrong is told apart from a server that is not there', async () => {
    await expect(openDatabase({ ...plain, password: 'wrong' })).rejects.toMatchObject({
      failure: 'denied',
      remedy: expect.stringContaining('DB_PASSWORD'),
    });
    await expect(openDatabase({ ...plain, port: 1 })).rejects.toMatchObject({ failure: 'unreachable' });
  });

  // Numbers of fatal alerts of TLS.
  test.skipIf(plain.type === 'mysql').each([
    ['knows no cipher of today', 40, 'speaks no TLS that this daemon speaks', 'TLS 1.2'],
    ['does not trust the certificate of the daemon', 48, 'refuses the certificate of this daemon', 'DB_SSL_CERT'],
  ])('a server that %s is told apart from one that is not trusted', async (_, number, problem, remedy) => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, number]);
    const refusing = await proxied((client, bytes) => {
      client.once('data', () => client.end(alert));
      return bytes.length === 8 && client.write('S');
    });
    await expect(openDatabase({ ...plain, ...refusing, tls: { mode: 'require' } })).rejects.toMatchObject({
      message: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    });
  });

  test.skipIf(plain.type === 'mysql')(
    'a server that offers none is used as it is with prefer, and refused otherwise',
    async () => {
      const offersNone = await proxied((client, bytes) => bytes.length === 8 && client.write('N'));
      await expect(openDatabase({ ...plain, ...offersNone, tls: { mode: 'require' } })).rejects.toMatchObject({
        failure: 'plain-only',
        remedy: expect.stringContaining('DB_SSL_MODE'),
      });
      const database = await openDatabase({ ...plain, ...offersNone, tls: { mode: 'prefer' } });
      await database.ping();
      await database.close();
    },
  );
});
