import type { SettingWarning } from './setting-warning.ts';
import type { SettingProblem } from './settings-error.ts';
import type { SettingName, SettingValues } from './table.ts';

/** What follows from the other settings of the database. */
export function derivedDatabase(
  values: SettingValues,
  configured: ReadonlySet<SettingName>,
): Pick<SettingValues, 'DB_TYPE' | 'DB_PORT' | 'DB_SSL_ROOT_CERT' | 'DB_SSL_CERT' | 'DB_SSL_KEY'> {
  // The existing daemon has no embedded database: a host alone means its default, PostgreSQL.
  const type = configured.has('DB_HOST') && !configured.has('DB_TYPE') ? 'postgresql' : values.DB_TYPE;
  return {
    DB_TYPE: type,
    DB_PORT: values.DB_PORT !== 0 ? values.DB_PORT : type === 'mysql' ? 3306 : 5432,
    DB_SSL_ROOT_CERT: values.DB_SSL_ROOT_CERT ?? values.DB_EXTRAS.sslrootcert,
    DB_SSL_CERT: values.DB_SSL_CERT ?? values.DB_EXTRAS.sslcert,
    DB_SSL_KEY: values.DB_SSL_KEY ?? values.DB_EXTRAS.sslkey,
  };
}

export function databaseProblems(values: SettingValues): readonly SettingProblem[] {
  if (values.DB_TYPE === 'sqlite') return [];
  const problems: SettingProblem[] = [];
  for (const variable of ['DB_HOST', 'DB_USERNAME', 'DB_DATABASE'] as const) {
    if (values[variable] !== undefined) continue;
    problems.push({
      variable,
      value: '',
      problem: `is missing, and DB_TYPE is ${values.DB_TYPE}`,
      remedy: `set ${variable}, or DB_TYPE=sqlite to keep the state in a file of DATA_DIR`,
    });
  }
  if ((values.DB_SSL_CERT === undefined) !== (values.DB_SSL_KEY === undefined)) {
    problems.push({
      variable: values.DB_SSL_CERT === undefined ? 'DB_SSL_CERT' : 'DB_SSL_KEY',
      value: '',
      problem: 'is missing: a certificate and its key belong together',
      remedy: 'set both DB_SSL_CERT and DB_SSL_KEY, or neither',
    });
  }
  return problems;
}

export function databaseWarnings(values: SettingValues): readonly SettingWarning[] {
  const { DB_TYPE: type, DB_EXTRAS: extras } = values;
  const found: SettingWarning[] = [];
  if (extras.options !== undefined && type === 'pgbouncer') {
    found.push({
      variables: ['DB_EXTRAS'],
      message:
        'PgBouncer refuses options of the server, or silently ignores them: set them for the role or the database',
    });
  }
  if (extras.options !== undefined && (type === 'mysql' || type === 'sqlite')) {
    found.push({ variables: ['DB_EXTRAS'], message: `options of PostgreSQL have no effect with DB_TYPE=${type}` });
  }
  const files = [values.DB_SSL_ROOT_CERT, values.DB_SSL_CERT];
  if (type !== 'sqlite' && values.DB_SSL_MODE === 'disable' && files.some((file) => file !== undefined)) {
    found.push({
      variables: ['DB_SSL_MODE'],
      message: 'certificates for the database are configured, but DB_SSL_MODE=disable keeps the connection unencrypted',
    });
  }
  return found;
}
