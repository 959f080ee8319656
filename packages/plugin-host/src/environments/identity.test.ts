import { mkdirSync, mkdtempDisposableSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identityOf } from './identity.ts';

test('what took the place of another is another, although it has got its number', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'identity-'));
  const path = join(directory.path, 'lib');
  mkdirSync(path);
  const before = { identity: await identityOf(path), number: statSync(path).ino };
  expect(await identityOf(path)).toBe(before.identity);
  // Until the file system has given the same number again, if it is one that does; its clock goes on in steps of some milliseconds.
  for (let attempt = 0; attempt < 20; attempt++) {
    rmSync(path, { recursive: true });
    await expect(identityOf(path)).rejects.toThrow('ENOENT');
    await new Promise((resolve) => setTimeout(resolve, 20));
    mkdirSync(path);
    expect(await identityOf(path)).not.toBe(before.identity);
    if (statSync(path).ino === before.number) break;
  }
});
