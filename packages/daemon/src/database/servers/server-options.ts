export type TlsMode =
  | 'disable'
  /** TLS if the server offers it. */
  | 'prefer'
  /** TLS; whether the certificate is checked depends on the kind of server. */
  | 'require'
  /** TLS, with a certificate of a known authority. */
  | 'verify-ca'
  /** The same, and the certificate is for this host. */
  | 'verify-full';

/** How a database server is reached. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** A database that is there, for creating the other. */
  readonly defaultDatabase: string;
  readonly tls: {
    readonly mode: TlsMode;
    /** PEM files. */
    readonly rootCertificate?: string;
    readonly certificate?: string;
    readonly key?: string;
  };
  readonly pool: {
    /** Connections open at once. */
    readonly maxOpen: number;
    /** Connections kept when nobody uses them. */
    readonly maxIdle: number;
    readonly maxLifetimeSeconds: number;
  };
  readonly timeouts: {
    /** For a connection, also one of those in use. */
    readonly connectMs: number;
    readonly readMs: number;
    readonly writeMs: number;
  };
  /** PostgreSQL: what libpq calls `options`, such as `-c search_path=plugins`. */
  readonly options?: string;
}
