import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openPackage } from '@plugin-daemon/plugin-package';

const LARGEST_UV = 512 * 1024 * 1024;

/**
 * Takes the uv executable out of its wheel, compares it with the wheel's RECORD, and puts it into
 * `<toolsDirectory>/uv-<version>/`, in one step. Returns its path.
 */
export async function unpackUv(wheel: Uint8Array, toolsDirectory: string): Promise<string> {
  const archive = openPackage(wheel, { maxUnpackedBytes: LARGEST_UV });
  const executable = archive.names.find((name) => /^uv-[^/]+\.data\/scripts\/uv(\.exe)?$/.test(name));
  const version = executable === undefined ? undefined : /^uv-(\d[\d.]*)\.data\//.exec(executable)?.[1];
  if (executable === undefined || version === undefined) throw new Error('the wheel of uv holds no executable');
  const content = archive.read(executable);
  const record = Buffer.from(archive.read(`uv-${version}.dist-info/RECORD`)).toString('utf8');
  const expected = record
    .split('\n')
    .find((line) => line.startsWith(`${executable},`))
    ?.split(',')[1];
  const actual = `sha256=${createHash('sha256').update(content).digest('base64url')}`;
  if (expected !== actual)
    throw new Error(`the uv executable is not the one its wheel's RECORD describes (${actual} instead of ${expected})`);
  const target = join(toolsDirectory, `uv-${version}`, executable.endsWith('.exe') ? 'uv.exe' : 'uv');
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${randomUUID()}`;
  try {
    await writeFile(temporary, content);
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  return target;
}
