/** `plugin key`: the debugging key of a tenant with the address to use it at, as lines of a .env file. */

import { resolve } from 'node:path';
import type { Call, Outcome } from '../command.ts';
import { CliError, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { readNamedFile } from '../files/read.ts';
import { withDaemon } from './daemon.ts';

/** Debugging keys live this long from when they were last asked for. */
const HOURS = 2;

export function run(call: Call): Promise<Outcome> {
  const { flags, io, cwd, signal } = call;
  return withDaemon(call, async ({ client, address }) => {
    const { key } = await client.call(flags.on('rotate') ? 'rotateDebuggingKey' : 'getDebuggingKey', {}, { signal });
    const variables = {
      INSTALL_METHOD: 'remote',
      REMOTE_INSTALL_URL: address.debugging ?? '',
      REMOTE_INSTALL_KEY: key,
    };
    const file = flags.text('write');
    if (file !== undefined) {
      await writeInto(resolve(cwd, file), variables);
      io.info('debugging key written', { file, url: variables.REMOTE_INSTALL_URL, valid_hours: HOURS });
    } else io.note(`valid for ${HOURS} hours; --write puts it into the .env file of the plugin in this folder`);
    return {
      text:
        file ??
        Object.entries(variables)
          .map(([name, value]) => `${name}=${value}`)
          .join('\n'),
      data: { key, url: variables.REMOTE_INSTALL_URL, tenant: client.tenant, ...(file !== undefined && { file }) },
    };
  });
}

/** Sets variables in a .env file; its other lines stay. A new one is for its owner's eyes only. */
async function writeInto(path: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const before = await readNamedFile(path)
    .then((bytes) => bytes.toString('utf8'))
    .catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    });
  if (before?.includes('\0') === true)
    throw new CliError('bad-file', `${path} is no text in UTF-8`, { file: path, remedy: 'save it as UTF-8' });
  const lines = (before ?? '').split('\n');
  const left = new Map(Object.entries(variables));
  const changed = lines.map((line) => {
    const name = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1]?.toUpperCase() ?? '';
    const value = left.get(name);
    if (value === undefined) return line;
    left.delete(name);
    return `${name}=${value}`;
  });
  if (changed.at(-1) === '') changed.pop();
  changed.push(...[...left].map(([name, value]) => `${name}=${value}`), '');
  await writeFileAtomic(path, changed.join('\n'), before === undefined ? { mode: 0o600 } : {});
}
