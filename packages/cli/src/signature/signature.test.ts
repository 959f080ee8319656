import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPackage, writeZip } from '@plugin-daemon/plugin-package';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';

const keys = mkdtempSync(join(tmpdir(), 'dify-cli-keys-'));
const key = (name: string): string => join(keys, name);

beforeAll(async () => {
  for (const name of ['a', 'b']) await dify(['signature', 'generate', '-f', name], { cwd: keys });
});

afterAll(() => rmSync(keys, { recursive: true, force: true }));

async function packed(): Promise<string> {
  const parent = temporaryFolder();
  await newPlugin(parent);
  await dify(['plugin', 'package', join(parent, 'demo')], { cwd: parent });
  return join(parent, 'demo.difypkg');
}

async function signed(...flags: string[]): Promise<string> {
  const path = await packed();
  const run = await dify(['signature', 'sign', path, '-p', key('a.private.pem'), '-c', 'community', ...flags]);
  expect(run.error).toBeUndefined();
  return path.replace('.difypkg', '.signed.difypkg');
}

/** The same archive with its entries passed through a function, the comment kept. */
function rewritten(
  path: string,
  change: (name: string, content: Uint8Array) => { name: string; content: Uint8Array },
): string {
  const archive = openPackage(readFileSync(path));
  const output = `${path}.changed`;
  writeFileSync(
    output,
    writeZip(
      archive.names.map((name) => change(name, archive.read(name))),
      archive.comment,
    ),
  );
  return output;
}

test('keys are PKCS#1, the private one is for its owner alone, none is replaced', async () => {
  expect(readFileSync(key('a.private.pem'), 'utf8')).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
  expect(readFileSync(key('a.public.pem'), 'utf8')).toMatch(/^-----BEGIN RSA PUBLIC KEY-----/);
  expect(statSync(key('a.private.pem')).mode & 0o777).toBe(0o600);
  const again = await dify(['signature', 'generate', '-f', 'a'], { cwd: keys });
  expect(again).toMatchObject({ exit: 1, error: { code: 'exists' } });
  expect(readdirSync(keys).sort()).toEqual(['a.private.pem', 'a.public.pem', 'b.private.pem', 'b.public.pem']);
});

test('what one key signs, its other half verifies, and no other key', async () => {
  const path = await signed();
  const good = await dify(['signature', 'verify', path, '-p', key('a.public.pem')]);
  expect(good.outcome?.data).toMatchObject({ verified: true, authorized_category: 'community', official: false });
  expect(good.stderr).toContain('INFO plugin verified successfully');
  const other = await dify(['signature', 'verify', path, '-p', key('b.public.pem')]);
  expect(other).toMatchObject({ exit: 1, error: { code: 'unknown-key' } });
  const official = await dify(['signature', 'verify', path]);
  expect(official.error?.message).toContain('failed to verify plugin with official public key');
  const several = await dify(['signature', 'verify', path, '-p', key('b.public.pem'), '-p', key('a.public.pem')]);
  expect(several.exit).toBe(0);
});

test('an unsigned package is called unsigned', async () => {
  expect((await dify(['signature', 'verify', await packed()])).error).toMatchObject({ code: 'unsigned' });
});

test('a changed, renamed, added or removed file is noticed', async () => {
  const path = await signed();
  const cases = {
    changed: rewritten(path, (name, content) => ({ name, content: name === 'README.md' ? Buffer.from('x') : content })),
    renamed: rewritten(path, (name, content) => ({ name: name === 'main.py' ? 'main2.py' : name, content })),
  };
  for (const [name, file] of Object.entries(cases)) {
    const run = await dify(['signature', 'verify', file, '-p', key('a.public.pem')]);
    expect(run, name).toMatchObject({ exit: 1, error: { code: 'modified' } });
  }
});

test('one changed byte near the end, or a cut file, never verifies', async () => {
  const path = await signed();
  const bytes = readFileSync(path);
  // In the contents of the first file, and in the signature at the end.
  const contents = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28) + 20;
  for (const offset of [contents, bytes.length - 60]) {
    const changed = Buffer.from(bytes);
    changed[offset] = (changed[offset] ?? 0) ^ 1;
    writeFileSync(`${path}.bad`, changed);
    expect((await dify(['signature', 'verify', `${path}.bad`, '-p', key('a.public.pem')])).exit).toBe(1);
  }
  writeFileSync(`${path}.cut`, bytes.subarray(0, bytes.length - 500));
  expect((await dify(['signature', 'verify', `${path}.cut`, '-p', key('a.public.pem')])).error?.message).toContain(
    'not a valid difypkg file',
  );
});

test('signing again replaces the old signature', async () => {
  const path = await signed();
  const again = await dify(['signature', 'sign', path, '-p', key('b.private.pem'), '-c', 'Partner']);
  expect(again.stderr).toContain('signed already');
  const output = path.replace('.signed.difypkg', '.signed.signed.difypkg');
  expect(openPackage(readFileSync(output)).names.filter((name) => name === '.verification.dify.json')).toHaveLength(1);
  expect((await dify(['signature', 'verify', output, '-p', key('b.public.pem')])).outcome?.data).toMatchObject({
    authorized_category: 'partner',
  });
});

test('claiming the official category with another key is warned about', async () => {
  const run = await dify(['signature', 'sign', await packed(), '-p', key('a.private.pem')]);
  expect(run.stderr).toContain('the category langgenius is claimed with a key of your own');
  expect(run.exit).toBe(0);
});

test.each([
  [['-p', 'none.pem'], 'no such file'],
  [['-p', 'a.public.pem'], 'failed to decode PEM block containing private key'],
  [['-p', 'a.private.pem', '-c', 'friend'], 'invalid authorized category'],
])('signing with %j fails and writes nothing', async (flags, message) => {
  const path = await packed();
  const run = await dify(['signature', 'sign', path, ...flags], { cwd: keys });
  expect(run.exit).toBe(1);
  expect(run.error?.message).toContain(message);
  expect(readdirSync(join(path, '..')).sort()).toEqual(['demo', 'demo.difypkg']);
});

test('keys with blank lines and CRLF are read', async () => {
  const path = await signed();
  const odd = join(temporaryFolder(), 'odd.pem');
  writeFileSync(odd, `\n${readFileSync(key('a.public.pem'), 'utf8').replaceAll('\n', '\r\n')}\n\n`);
  expect((await dify(['signature', 'verify', path, '-p', odd])).exit).toBe(0);
});
