/** The input document of a call: from -args, else all of stdin (docs/wire/cli.md#input). */

import { isObject, messageOf } from '@plugin-daemon/values';
import { SlimError } from './slim-error.ts';

export const NIL_TENANT = '00000000-0000-0000-0000-000000000000';

export interface SlimInput {
  tenantId: string;
  userId: string;
  data: Record<string, unknown>;
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

export async function readInput(args: string | undefined, stdin: NodeJS.ReadableStream): Promise<SlimInput> {
  const text = args === undefined || args === '' ? await readAll(stdin) : args;
  if (text.trim() === '') throw new SlimError('INVALID_INPUT', 'no -args flag and no JSON on stdin');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SlimError('INVALID_ARGS_JSON', messageOf(error), error);
  }
  if (!isObject(value)) throw new SlimError('INVALID_ARGS_JSON', 'the input must be an object');
  if (!isObject(value.data)) throw new SlimError('INVALID_ARGS_JSON', 'data must be an object');
  const { tenant_id: tenant, user_id: user, data } = value;
  if (tenant !== undefined && tenant !== null && typeof tenant !== 'string')
    throw new SlimError('INVALID_ARGS_JSON', 'tenant_id must be a string');
  if (user !== undefined && user !== null && typeof user !== 'string')
    throw new SlimError('INVALID_ARGS_JSON', 'user_id must be a string');
  return {
    tenantId: typeof tenant === 'string' && tenant !== '' ? tenant : NIL_TENANT,
    userId: typeof user === 'string' ? user : '',
    data,
  };
}
