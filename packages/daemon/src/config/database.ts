import { choice, duration, InvalidValue, integer, port, text } from './setting.ts';

const ignored = { usedBy: '–', status: 'no-effect' } as const;
const server = (meaning: string) => ({ ...ignored, meaning: `${meaning} (database servers are not supported yet).` });

/** The database. Source: config-storage-database §1.7. */
export const databaseSettings = {
  DB_TYPE: choice(
    {
      sqlite: 'sqlite',
      postgresql: 'postgresql',
      postgres: 'postgresql',
      pgbouncer: 'pgbouncer',
      mysql: 'mysql',
      oceanbase: 'mysql',
      seekdb: 'mysql',
    },
    {
      default: 'sqlite',
      meaning: 'Which database holds the state; `sqlite` is a file in `DATA_DIR`.',
      usedBy: 'compose',
      refused: 'every type but `sqlite`',
      refuse: (type) => {
        if (type !== 'sqlite') {
          throw new InvalidValue(
            'database servers are not supported in this version',
            'set DB_TYPE=sqlite: the daemon then keeps its state in a file of DATA_DIR',
          );
        }
      },
    },
  ),
  DB_HOST: text({
    usedBy: 'config',
    refused: 'any value, unless `DB_TYPE=sqlite` is configured',
    meaning:
      'Host of a database server. With `DB_TYPE=sqlite` it is known to be meant for others; without, the daemon would start empty beside a full database.',
  }),
  DB_PORT: port({ ...server('Port'), default: 0 }),
  DB_USERNAME: text(server('User')),
  DB_PASSWORD: text({ ...server('Password'), secret: true }),
  DB_DATABASE: text(server('Database')),
  DB_DEFAULT_DATABASE: text(server('Database connected to in order to create the other')),
  DB_SSL_MODE: text({ ...server('TLS mode'), default: 'disable' }),
  DB_MAX_IDLE_CONNS: integer({ ...server('Idle connections'), default: 10 }),
  DB_MAX_OPEN_CONNS: integer({ ...server('Open connections'), default: 30 }),
  DB_CONN_MAX_LIFETIME: integer({ ...server('Life time of a connection'), unit: 's', default: 3600 }),
  DB_EXTRAS: text(server('Further connection options')),
  DB_CHARSET: text(server('Client encoding')),
  DB_GORM_LOG_LEVEL: text(server('Log level of SQL')),
  DB_CONNECT_TIMEOUT: duration({ ...server('Connect timeout'), default: 5000 }),
  DB_READ_TIMEOUT: duration({ ...server('Read timeout'), default: 30_000 }),
  DB_WRITE_TIMEOUT: duration({ ...server('Write timeout'), default: 30_000 }),
};
