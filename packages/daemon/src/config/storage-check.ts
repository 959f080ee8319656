import type { SettingProblem } from './settings-error.ts';
import type { SettingName, SettingValues } from './table.ts';

/** Settings that a store cannot do without, and what to do about it. */
function needed(values: SettingValues): readonly (readonly [SettingName, string])[] {
  switch (values.PLUGIN_STORAGE_TYPE) {
    case 'aws_s3': {
      const chain =
        values.S3_USE_AWS && (values.S3_USE_AWS_MANAGED_IAM || (!values.AWS_ACCESS_KEY && !values.AWS_SECRET_KEY));
      return [
        ['PLUGIN_STORAGE_OSS_BUCKET', 'set the name of the bucket'],
        ['AWS_REGION', 'set the region of the bucket; with other servers than those of AWS us-east-1 will often do'],
        ...(values.S3_USE_AWS ? [] : [['S3_ENDPOINT', 'set the address of the server, or S3_USE_AWS=true'] as const]),
        ...(chain
          ? []
          : ([
              ['AWS_ACCESS_KEY', 'set both keys, or neither with S3_USE_AWS=true for those that the machine has'],
              ['AWS_SECRET_KEY', 'set both keys, or neither with S3_USE_AWS=true for those that the machine has'],
            ] as const)),
      ];
    }
    case 'azure_blob':
      return [
        ['AZURE_BLOB_STORAGE_CONTAINER_NAME', 'set the name of a container that exists'],
        values.AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY
          ? ['AZURE_BLOB_STORAGE_ACCOUNT_URL', 'set the URL of the account, https://ACCOUNT.blob.core.windows.net']
          : [
              'AZURE_BLOB_STORAGE_CONNECTION_STRING',
              'set it, or AZURE_BLOB_STORAGE_USE_MANAGED_IDENTITY=true with AZURE_BLOB_STORAGE_ACCOUNT_URL',
            ],
      ];
    case 'gcs':
      return [['PLUGIN_STORAGE_OSS_BUCKET', 'set the name of a bucket that exists']];
    default:
      return [];
  }
}

/** What can be said of the object store only with all its settings. */
export const storageProblems = (values: SettingValues): readonly SettingProblem[] =>
  needed(values)
    .filter(([variable]) => values[variable] === undefined || values[variable] === '')
    .map(([variable, remedy]) => ({
      variable,
      value: '',
      problem: `is not set, and PLUGIN_STORAGE_TYPE=${values.PLUGIN_STORAGE_TYPE} needs it`,
      remedy,
    }));
