/** Files with answers for calls into Dify (--mock) and with credentials, in JSON or YAML. */

import { isObject } from '@plugin-daemon/values';
import { parse } from 'yaml';
import { CliError, systemCode } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';

export async function readMapping(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = (await readNamedFile(path)).toString('utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('unreadable', `${path}: ${systemCode(error) === 'ENOENT' ? 'no such file' : 'cannot be read'}`, {
      file: path,
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new CliError(
      'invalid-file',
      `${path}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      { file: path, cause: error },
    );
  }
  if (!isObject(value)) throw new CliError('invalid-file', `${path} holds no mapping`, { file: path });
  return value;
}
