import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { openPackage, writeZip } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { dify, difyProcess, newPlugin, temporaryFolder } from '../../test/harness.ts';

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const namesIn = (path: string): readonly string[] => openPackage(readFileSync(path)).names;

test('the package has the name of the folder, its checksum is that of the folder', async () => {
  const parent = temporaryFolder();
  await newPlugin(parent);
  const packed = await dify(['plugin', 'package', join(parent, 'demo')], { cwd: parent });
  expect(packed.error).toBeUndefined();
  expect(packed.outcome?.text).toBe('demo.difypkg');
  expect(packed.stderr).toMatch(
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d INFO plugin packaged successfully output_path=demo\.difypkg$/m,
  );
  const folder = await dify(['plugin', 'checksum', join(parent, 'demo')]);
  const file = await dify(['plugin', 'checksum', join(parent, 'demo.difypkg')]);
  expect(folder.outcome?.text).toMatch(/^[0-9a-f]{64}$/);
  expect(file.outcome?.text).toBe(folder.outcome?.text);
  expect(file.stderr).toContain(`INFO plugin checksum checksum=${folder.outcome?.text}`);
  expect(packed.outcome?.data?.unique_identifier).toBe(`acme/demo:0.0.1@${folder.outcome?.text}`);
});

test('equal folders give equal bytes', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  for (const output of ['a.difypkg', 'b.difypkg'])
    await dify(['plugin', 'package', path, '--output_path', join(parent, output)]);
  expect(digest(join(parent, 'a.difypkg'))).toBe(digest(join(parent, 'b.difypkg')));
});

test('the folder one stands in takes the name of the plugin', async () => {
  const path = await newPlugin(temporaryFolder());
  const packed = await difyProcess(['plugin', 'package', '.'], { cwd: path });
  expect(packed).toMatchObject({ code: 0, stdout: 'demo.difypkg\n' });
  const again = await difyProcess(['plugin', 'package', '../demo/.'], { cwd: path });
  expect(again.code).toBe(0);
  expect(namesIn(join(path, 'demo.difypkg'))).not.toContain('demo.difypkg');
});

test('what does not belong into a package stays out', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  rmSync(join(path, '.difyignore'));
  rmSync(join(path, '.gitignore'));
  for (const file of [
    '.git/config',
    '.venv/bin/python',
    'x/__pycache__/y.pyc',
    '.env',
    'old.difypkg',
    '.idea/x',
    'node_modules/y/z.js',
  ]) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), 'x');
  }
  const output = join(path, 'demo.out');
  await dify(['plugin', 'package', path, '-o', output]);
  const again = await dify(['plugin', 'package', path, '-o', output]);
  expect(again.error).toBeUndefined();
  const names = namesIn(output);
  for (const part of ['.git/', '.venv', '__pycache__', 'old.difypkg', '.idea', 'node_modules', 'demo.out'])
    expect(names.filter((name) => name.includes(part))).toEqual([]);
  expect(names).not.toContain('.env');
  expect(names).toContain('.env.example');
});

test('links out of the plugin are left out with a warning, links inside are packed by content', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  writeFileSync(join(parent, 'secret.txt'), 'secret');
  mkdirSync(join(parent, 'outside'));
  symlinkSync(join(parent, 'secret.txt'), join(path, 'leak.txt'));
  symlinkSync(join(parent, 'outside'), join(path, 'folder'));
  symlinkSync('nowhere', join(path, 'dangling'));
  symlinkSync('main.py', join(path, 'copy.py'));
  const packed = await dify(['plugin', 'package', path], { cwd: parent });
  expect(packed.error).toBeUndefined();
  expect(packed.stderr).toContain('path=leak.txt');
  const archive = openPackage(readFileSync(join(parent, 'demo.difypkg')));
  expect(archive.names).not.toContain('leak.txt');
  expect(archive.names).not.toContain('dangling');
  expect(Buffer.from(archive.read('copy.py'))).toEqual(readFileSync(join(path, 'main.py')));
});

test('a package over the limit names the largest files of all, and writes nothing', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  writeFileSync(join(path, 'zz-big.bin'), Buffer.alloc(3 * 1024 * 1024));
  const packed = await dify(['plugin', 'package', path, '--max-size', '2'], { cwd: parent });
  expect(packed).toMatchObject({ exit: 1, error: { code: 'too-large' } });
  expect(packed.error?.message).toContain('less than 2097152 bytes');
  expect(packed.error?.message).toContain('1. name: zz-big.bin, size: 3145728 bytes');
  expect(readdirSync(parent)).toEqual(['demo']);
});

test('--explain lists sizes and reasons and writes nothing', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  writeFileSync(join(path, '.env'), 'x');
  const { outcome } = await dify(['plugin', 'package', path, '--explain'], { cwd: parent });
  expect(outcome?.text).toMatch(/\d+ +[\d.]+ % {2}manifest\.yaml/);
  expect(outcome?.text).toContain('.env  (.difyignore: .env)');
  expect(readdirSync(parent)).toEqual(['demo']);
});

test.each([
  ['nothing there', async () => join(temporaryFolder(), 'none'), 'not-found'],
  [
    'a file',
    async () => {
      const file = join(temporaryFolder(), 'x');
      writeFileSync(file, 'x');
      return file;
    },
    'not-a-directory',
  ],
  ['no manifest', async () => temporaryFolder(), 'invalid-plugin'],
])('%s is no plugin folder', async (_name, make, code) => {
  const cwd = temporaryFolder();
  const packed = await dify(['plugin', 'package', await make()], { cwd });
  expect(packed).toMatchObject({ exit: 1, error: { code } });
  expect(packed.error?.message.split('\n').length).toBeLessThan(4);
  expect(readdirSync(cwd)).toEqual([]);
});

test.each([
  ['broken YAML', 'manifest.yaml', 'name: [', 'manifest.yaml'],
  ['a missing icon', '', '', '_assets/icon.svg'],
  ['an upper-case author', 'manifest.yaml', 'author: Acme', 'author'],
  ['a bad version', 'manifest.yaml', 'version: one', 'version'],
  ['a broken tool file', 'tools/demo.yaml', 'identity: [x', 'tools/demo.yaml'],
])('%s keeps the plugin from being packed and is named', async (_name, file, line, mentioned) => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  if (file === '') rmSync(join(path, '_assets/icon.svg'));
  else {
    const key = line.split(':')[0] ?? '';
    const text = readFileSync(join(path, file), 'utf8');
    writeFileSync(
      join(path, file),
      line.includes('[') ? `${text}\n${line}` : text.replace(new RegExp(`^${key}:.*$`, 'm'), line),
    );
  }
  const packed = await dify(['plugin', 'package', path], { cwd: parent });
  expect(packed.exit).toBe(1);
  expect(`${packed.error?.file} ${packed.error?.message}`).toContain(mentioned.replace('_assets/', ''));
  expect(readdirSync(parent)).toEqual(['demo']);
});

test('an output that cannot be written is named, an earlier package survives a failed run', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  const nowhere = await dify(['plugin', 'package', path, '-o', join(parent, 'none', 'x.difypkg')]);
  expect(nowhere).toMatchObject({ exit: 1, error: { code: 'no-directory' } });
  const folder = await dify(['plugin', 'package', path, '-o', path]);
  expect(folder.exit).toBe(1);
  writeFileSync(join(parent, 'demo.difypkg'), 'earlier');
  appendFileSync(join(path, 'manifest.yaml'), '\n  broken: [');
  await dify(['plugin', 'package', path], { cwd: parent });
  expect(readFileSync(join(parent, 'demo.difypkg'), 'utf8')).toBe('earlier');
});

test.skipIf(process.getuid?.() === 0)('an unreadable file is named', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  chmodSync(join(path, 'main.py'), 0);
  expect((await dify(['plugin', 'package', path], { cwd: parent })).error).toMatchObject({
    code: 'unreadable',
    file: 'main.py',
  });
});

test('an interrupted run leaves nothing', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  const packed = await dify(['plugin', 'package', path], { cwd: parent, signal: AbortSignal.abort() });
  expect(packed.exit).toBe(130);
  expect(readdirSync(parent)).toEqual(['demo']);
});

test('--sign signs what was packed', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['signature', 'generate', '-f', 'key'], { cwd: parent });
  const packed = await dify(
    ['plugin', 'package', path, '--sign', 'key.private.pem', '--authorized_category', 'partner'],
    { cwd: parent },
  );
  expect(packed.error).toBeUndefined();
  const verified = await dify(['signature', 'verify', join(parent, 'demo.difypkg'), '-p', 'key.public.pem'], {
    cwd: parent,
  });
  expect(verified.outcome?.data).toMatchObject({ verified: true, authorized_category: 'partner' });
});

test('requirements.txt is exported by uv when only a lock file is there, and not written into the folder', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  rmSync(join(path, 'requirements.txt'));
  writeFileSync(join(path, 'uv.lock'), 'version = 1\n');
  const uv = join(parent, 'uv');
  writeFileSync(uv, '#!/bin/sh\necho "$@" >&2\necho "dify-plugin==0.10.0"\n', { mode: 0o755 });
  const packed = await dify(['plugin', 'package', path], { cwd: parent, env: { PATH: process.env.PATH, UV_PATH: uv } });
  expect(packed.error).toBeUndefined();
  expect(Buffer.from(openPackage(readFileSync(join(parent, 'demo.difypkg'))).read('requirements.txt')).toString()).toBe(
    'dify-plugin==0.10.0\n',
  );
  expect(existsSync(join(path, 'requirements.txt'))).toBe(false);
  const nowhere = join(parent, 'none');
  const without = await dify(['plugin', 'package', path], { cwd: parent, env: { PATH: '', UV_PATH: nowhere } });
  expect(without.error?.message).toContain('failed to find uv executable for exporting requirements.txt');
  expect(without.error?.message).toContain(`UV_PATH names ${nowhere}`);
  writeFileSync(uv, '#!/bin/sh\necho "lock is old" >&2\nexit 3\n', { mode: 0o755 });
  const failed = await dify(['plugin', 'package', path], { cwd: parent, env: { PATH: process.env.PATH, UV_PATH: uv } });
  expect(failed.error?.message).toBe('uv export failed: lock is old');
});

test('damaged packages have one clear message', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  const bytes = readFileSync(join(parent, 'demo.difypkg'));
  const cases = {
    'cut.difypkg': bytes.subarray(0, bytes.length - 100),
    'text.difypkg': Buffer.from('not a zip'),
    'empty.difypkg': Buffer.alloc(0),
    'other.difypkg': writeZip([{ name: 'a', content: Buffer.from('a') }]),
  };
  for (const [name, content] of Object.entries(cases)) {
    writeFileSync(join(parent, name), content);
    const checked = await dify(['plugin', 'checksum', join(parent, name)]);
    expect(checked.exit, name).toBe(1);
    expect(checked.error?.message, name).toMatch(
      /difypkg: not a valid difypkg file|manifest\.yaml: file does not exist/,
    );
  }
});

const KEY = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n';
const SECRETS: Readonly<Record<string, string>> = {
  '.env.local': 'A=1',
  '.env.production': 'A=1',
  'conf/prod.env': 'A=1',
  '.envrc': 'export A=1',
  id_rsa: KEY,
  'deploy/id_ed25519': KEY,
  'my.private.pem': KEY,
  'server.key': 'x',
  'deep/in/any.txt': KEY,
  'certs/key.pem': `Bag Attributes\n    localKeyID: 01\n${KEY}`,
  'putty.txt': 'PuTTY-User-Key-File-3: ssh-ed25519\n',
  'service.json': '{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\nMII"}',
  '.npmrc': '//registry/:_authToken=x',
  'sub/.pypirc': '[pypi]',
  '.netrc': 'machine x',
  '.git-credentials': 'https://x:y@z',
  '.aws/credentials': '[default]',
  '.azure/token': 'x',
  '.config/gcloud/credentials.db': 'x',
  '.kube/config': 'x',
  '.docker/config.json': '{}',
  'store.p12': 'x',
  'terraform.tfstate': '{}',
};
const HARMLESS: Readonly<Record<string, string>> = {
  '.env.example': 'A=',
  'certs/ca.pem': '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n',
  'keys/trusted.public.pem': '-----BEGIN RSA PUBLIC KEY-----\nMIIE\n-----END RSA PUBLIC KEY-----\n',
  'tools/pem_reader.py': `KEY = "-----BEGIN PRIVATE KEY-----"\n`,
  'docs/keys.md': KEY,
  'tools/environment.txt': 'no secret',
  'data/keyboard.json': '{"private_key": "the name of a field"}',
  'id_rsa.pub': 'ssh-rsa AAAA',
};

function write(path: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
}

test('secrets stay out of a package whatever the ignore file says, and that is said', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  writeFileSync(join(path, '.difyignore'), '# nothing\n');
  write(path, { ...SECRETS, ...HARMLESS });
  write(path, { 'my-python/pyvenv.cfg': 'home = /usr', 'my-python/bin/python': 'x' });
  const run = await dify(['plugin', 'package', path], { cwd: parent });
  expect(run.error?.message).toBeUndefined();
  const names = namesIn(join(parent, 'demo.difypkg'));
  expect(names.filter((name) => name in SECRETS || name.startsWith('my-python/'))).toEqual([]);
  for (const name of Object.keys(HARMLESS)) expect(names).toContain(name);
  for (const word of ['.env.local', 'id_rsa', 'deep/in/any.txt', '.aws', 'service.json'])
    expect(run.stderr, word).toContain(`path=${word}`);
  expect(run.stderr).toContain('--include');
  // The checksum of a folder is that of its package.
  const checksum = await dify(['plugin', 'checksum', path]);
  expect(checksum.outcome?.text).toBe(run.outcome?.data?.checksum);
});

test('what is named with --include or brought back in the ignore file is packed', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  write(path, SECRETS);
  write(path, { 'my-python/pyvenv.cfg': 'home = /usr' });
  writeFileSync(join(path, '.difyignore'), '!certs/key.pem\n');
  const flags = ['id_rsa', '.aws/credentials', './deep/in/any.txt', 'my-python/'].flatMap((name) => [
    '--include',
    name,
  ]);
  await dify(['plugin', 'package', path, ...flags], { cwd: parent });
  const names = namesIn(join(parent, 'demo.difypkg'));
  expect(names.filter((name) => name in SECRETS || name.startsWith('my-python/')).toSorted()).toEqual([
    '.aws/credentials',
    'certs/key.pem',
    'deep/in/any.txt',
    'id_rsa',
    'my-python/pyvenv.cfg',
  ]);
});

test.each([
  ['UTF-8 with a mark', Buffer.from('\uFEFFsecret.txt\n')],
  ['UTF-16, little end first', Buffer.from('\uFEFFsecret.txt\r\n', 'utf16le')],
  ['UTF-16, big end first', Buffer.from('\uFEFFsecret.txt\r\n', 'utf16le').swap16()],
])('an ignore file in %s is read', async (_encoding, bytes) => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  write(path, { 'secret.txt': 'x', 'other.txt': 'x' });
  writeFileSync(join(path, '.difyignore'), bytes);
  expect((await dify(['plugin', 'package', path], { cwd: parent })).error).toBeUndefined();
  const names = namesIn(join(parent, 'demo.difypkg'));
  expect(names).toContain('other.txt');
  expect(names).not.toContain('secret.txt');
});

test.each([
  ['UTF-16 without a mark', Buffer.from('secret.txt\n', 'utf16le')],
  ['Latin-1', Buffer.from([0x66, 0xfc, 0x72, 0x0a])],
])('an ignore file in %s is refused by name', async (_encoding, bytes) => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  writeFileSync(join(path, '.difyignore'), bytes);
  expect((await dify(['plugin', 'package', path], { cwd: parent })).error).toMatchObject({
    exit: 1,
    file: '.difyignore',
    remedy: expect.stringContaining('UTF-8'),
  });
});
