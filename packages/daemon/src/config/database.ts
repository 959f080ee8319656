import { type DatabaseExtras, parseDatabaseExtras } from './database-extras.ts';
import { choice, duration, integer, path, port, text } from './setting.ts';

const usedBy = 'compose';
const noExtras: DatabaseExtras = {};

/** The database. Source: docs/wire/state.md#settings; names of certificates are ours. */
export const databaseSettings = {
  DB_TYPE: choice(
    {
      sqlite: 'sqlite',
      postgresql: 'postgresql',
      postgres: 'postgresql',
      pgbouncer: 'pgbouncer',
      mysql: 'mysql',
      mariadb: 'mysql',
      oceanbase: 'mysql',
      seekdb: 'mysql',
    },
    {
      default: 'sqlite',
      defaultText: '`postgresql` with `DB_HOST`, else `sqlite`',
      meaning:
        'Which database holds the state: `sqlite` is a file in `DATA_DIR`, for one daemon; the others are servers, for one or several (`pgbouncer`: PostgreSQL behind PgBouncer, also in transaction mode; `mysql`: MySQL and MariaDB).',
      usedBy,
    },
  ),
  DB_HOST: text({ usedBy, meaning: 'Host of the database server.' }),
  DB_PORT: port({
    usedBy,
    default: 0,
    defaultText: '`5432`, `3306` for `mysql`',
    meaning: 'Port of the database server.',
  }),
  DB_USERNAME: text({ usedBy, meaning: 'User of the database server.' }),
  DB_PASSWORD: text({ usedBy, secret: true, default: '', meaning: 'Its password; may be empty.' }),
  DB_DATABASE: text({
    usedBy,
    meaning: 'Name of the database. It is created when it is missing and the user may do so.',
  }),
  DB_DEFAULT_DATABASE: text({
    usedBy,
    default: 'postgres',
    meaning: 'PostgreSQL: the database connected to in order to create the other.',
  }),
  DB_SSL_MODE: choice(
    {
      disable: 'disable',
      disabled: 'disable',
      allow: 'prefer',
      prefer: 'prefer',
      preferred: 'prefer',
      require: 'require',
      required: 'require',
      'verify-ca': 'verify-ca',
      verify_ca: 'verify-ca',
      'verify-full': 'verify-full',
      verify_identity: 'verify-full',
    },
    {
      usedBy,
      default: 'disable',
      meaning:
        'TLS to the database server. `prefer`: where it is offered; `require`: PostgreSQL trusts any certificate unless `DB_SSL_ROOT_CERT` is set, MySQL verifies it and its host; `verify-ca`: a certificate of a known authority; `verify-full`: and for this host.',
    },
  ),
  DB_SSL_ROOT_CERT: path({
    usedBy,
    own: true,
    aliases: ['PGSSLROOTCERT'],
    meaning: 'PEM file with the authorities to trust instead of those of the system.',
  }),
  DB_SSL_CERT: path({
    usedBy,
    own: true,
    aliases: ['PGSSLCERT'],
    meaning: 'PEM file with the certificate to show to the server.',
  }),
  DB_SSL_KEY: path({ usedBy, own: true, aliases: ['PGSSLKEY'], meaning: 'PEM file with the key of `DB_SSL_CERT`.' }),
  DB_MAX_IDLE_CONNS: integer({ usedBy, default: 10, meaning: 'Connections kept when they are not in use.' }),
  DB_MAX_OPEN_CONNS: integer({ usedBy, default: 30, meaning: 'Connections of this daemon at most; 0 sets no limit.' }),
  DB_CONN_MAX_LIFETIME: integer({
    usedBy,
    unit: 's',
    default: 3600,
    meaning: 'Older connections are replaced when they are not in use; 0 keeps them.',
  }),
  DB_EXTRAS: {
    ...text({
      usedBy,
      default: '',
      meaning:
        'PostgreSQL: further options, such as `options=-c search_path=plugins`; also `sslrootcert=`, `sslcert=`, `sslkey=` with a path. Not for PgBouncer, which refuses or ignores them.',
    }),
    default: noExtras,
    defaultText: '–',
    parse: parseDatabaseExtras,
  },
  DB_CHARSET: text({ usedBy: '–', status: 'no-effect', meaning: 'Client encoding; it always is UTF-8.' }),
  DB_GORM_LOG_LEVEL: text({
    usedBy: '–',
    status: 'no-effect',
    meaning: 'Log level of SQL; statements are not logged.',
  }),
  DB_CONNECT_TIMEOUT: duration({
    usedBy,
    default: 5000,
    zeroIsDefault: true,
    meaning: 'For a connection to the database server, also for a free one of those there are.',
  }),
  DB_READ_TIMEOUT: duration({
    usedBy,
    default: 30_000,
    zeroIsDefault: true,
    meaning: 'For the answer to a statement that reads.',
  }),
  DB_WRITE_TIMEOUT: duration({
    usedBy,
    default: 30_000,
    zeroIsDefault: true,
    meaning: 'For the answer to a statement that writes (the longer of the two counts).',
  }),
};
