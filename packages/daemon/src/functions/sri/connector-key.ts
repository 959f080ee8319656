import { open } from 'node:fs/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';

/** A key is shorter, and so is a whole file with one. */
const MAX_BYTES = 16 * 1024;
/** What a header may hold, and no space at its ends. */
const SENDABLE = /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
const SETTING = 'DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY_FILE';

/**
 * The key in a file as it is now. Connectors are asked seldom, so it is read each time: a new key counts from the next request on.
 * @throws DaemonError when there is none
 */
export async function keyIn(file: string): Promise<string> {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let size: number;
  try {
    const handle = await open(file);
    try {
      size = (await handle.read(bytes, 0, bytes.length, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw refused(`cannot be read: ${messageOf(cause)}`, cause);
  }
  const key = bytes.subarray(0, size).toString('latin1').trim();
  if (size > MAX_BYTES) throw refused('is larger than any key');
  if (key === '') throw refused('is empty');
  if (!SENDABLE.test(key))
    throw refused('holds something that is no key: one line of printable characters is expected');
  return key;
}

const refused = (problem: string, cause?: unknown): DaemonError =>
  new DaemonError('internal', `the file with the key of the serverless connector ${problem}`, {
    remedy: `Look at the file that ${SETTING} names`,
    cause,
  });
