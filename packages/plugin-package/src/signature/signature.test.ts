import { createHash, createPublicKey, sign } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { openArchive, writeZip } from '../archive/index.ts';
import { decodePackage } from '../package.ts';
import { pack, toolPlugin } from '../testing/examples.ts';
import { generateKeyPair, type KeyPair, OFFICIAL_PUBLIC_KEY, parsePublicKey } from './keys.ts';
import { signPackage } from './sign.ts';
import { signedData, VERIFICATION_FILE, verifySignature } from './verify.ts';

let keys: KeyPair;
let others: KeyPair;
const unsigned = pack(toolPlugin());

beforeAll(() => {
  keys = generateKeyPair(2048);
  others = generateKeyPair(2048);
});

const judge = (bytes: Uint8Array, publicKeys: readonly string[]) => verifySignature(openArchive(bytes), { publicKeys });

/** Files of a package with one of them changed, under the same signature. */
function tampered(signed: Uint8Array, change: (name: string, content: Uint8Array) => [string, Uint8Array]): Buffer {
  const archive = openArchive(signed);
  const files = archive.names.map((name) => {
    const [newName, content] = change(name, archive.read(name));
    return { name: newName, content };
  });
  return writeZip(files, archive.comment);
}

/** Signs files as they are, whatever they are. */
function comment(zip: Buffer): Buffer {
  const archive = openArchive(zip);
  const signature = sign('sha256', signedData(archive, 1), keys.privateKey).toString('base64');
  const files = archive.names.map((name) => ({ name, content: archive.read(name) }));
  return writeZip(files, JSON.stringify({ signature, time: 1 }));
}

test('the signed data is hashes in archive order and the time', () => {
  const archive = openArchive(
    writeZip([
      { name: 'b', content: Buffer.from('hello') },
      { name: 'a', content: Buffer.from('world') },
      { name: VERIFICATION_FILE, content: Buffer.from('{"authorized_category":"partner"}') },
    ]),
  );
  const data = signedData(archive, 1700000000);
  expect(data).toHaveLength(106);
  expect(createHash('sha256').update(data).digest('hex')).toBe(
    '54484781ead40157a13f19f077dde63965dfc7376ac5dd36313bda273ceb5de2',
  );
});

test('the official key is the published one', () => {
  const der = createPublicKey(OFFICIAL_PUBLIC_KEY).export({ type: 'spki', format: 'der' });
  expect(createHash('sha256').update(der).digest('hex')).toBe(
    '3b40a6f3c17aa8423053dd26e7f05474365100f266fb7419875226812177d68e',
  );
});

test('a signed package verifies with its key and says who vouches for it', () => {
  const signed = signPackage(unsigned, keys.privateKey, { category: 'partner', time: 1700000000 });
  const comment = JSON.parse(openArchive(signed).comment);
  expect(Object.keys(comment)).toEqual(['signature', 'time']);
  expect(judge(signed, [others.publicKey, keys.publicKey])).toMatchObject({
    state: 'verified',
    official: false,
    time: 1700000000,
    verification: { authorized_category: 'partner' },
  });
  const decoded = decodePackage(signed, { publicKeys: [keys.publicKey] });
  expect(decoded).toMatchObject({ verified: true, declaration: { verified: true }, warnings: [] });
  expect(decoded.identifier.checksum).not.toBe(decodePackage(unsigned).identifier.checksum);
});

test('a package from before categories counts as official, unless that is reserved', () => {
  const signed = signPackage(unsigned, keys.privateKey);
  expect(openArchive(signed).has(VERIFICATION_FILE)).toBe(false);
  expect(judge(signed, [keys.publicKey]).verification).toEqual({ authorized_category: 'langgenius' });
  const reserved = decodePackage(signed, { publicKeys: [keys.publicKey], reserveOfficialCategory: true });
  expect(reserved.verification).toEqual({ authorized_category: 'community' });
});

test('signing again replaces the earlier verification file', () => {
  const once = signPackage(unsigned, keys.privateKey, { category: 'partner' });
  const twice = signPackage(once, others.privateKey, { category: 'community' });
  expect(openArchive(twice).names.filter((name) => name === VERIFICATION_FILE)).toHaveLength(1);
  expect(judge(twice, [others.publicKey])).toMatchObject({
    state: 'verified',
    verification: { authorized_category: 'community' },
  });
});

test.each([
  ['Partner', { authorized_category: 'partner' }],
  ['', null],
  ['someone', null],
])('the category %j of a verified package is understood or dropped', (category, verification) => {
  const content = Buffer.from(JSON.stringify({ authorized_category: category }));
  const archive = openArchive(unsigned);
  const files = archive.names.map((name) => ({ name, content: archive.read(name) }));
  const signed = signPackage(writeZip([...files, { name: 'zz', content }]), keys.privateKey);
  const renamed = tampered(signed, (name, bytes) => [name === 'zz' ? VERIFICATION_FILE : name, bytes]);
  expect(judge(renamed, [keys.publicKey])).toMatchObject({ state: 'verified', verification });
});

test('a verdict tells why a package is not trusted', () => {
  const signed = signPackage(unsigned, keys.privateKey, { category: 'langgenius' });
  const states = {
    unsigned: judge(unsigned, [keys.publicKey]),
    'unknown-key': judge(signed, [others.publicKey]),
    modified: judge(
      tampered(signed, (name, content) => [name, name === 'main.py' ? Buffer.from('import os') : content]),
      [keys.publicKey],
    ),
    damaged: judge(writeZip([{ name: 'a', content: Buffer.from('x') }], '{"signature":"?","time":1}'), []),
  };
  for (const [state, verdict] of Object.entries(states)) {
    expect(verdict).toMatchObject({ state, verification: null });
    expect(verdict.reason).not.toBe('');
  }
  expect(states.unsigned.error).toBe('unexpected end of JSON input');
  expect(states['unknown-key'].error).toBe('crypto/rsa: verification error');
});

test.each([
  ['main.py', 'zz.py'],
  ['manifest.yaml', 'a.yaml'],
  ['main.py', 'json/__init__.py'],
  ['_assets/icon.svg', 'sitecustomize.py'],
  ['_assets/icon.svg', 'DIFY_PLUGIN.py'],
  ['main.py', 'json.py'],
  ['main.py', 'json.pyc'],
  ['main.py', 'json.cpython-312-x86_64-linux-gnu.so'],
  ['main.py', 'httpx/__init__.py'],
])('a package whose %s was renamed to %s after signing is not verified', (from, to) => {
  const signed = signPackage(unsigned, keys.privateKey, { category: 'partner' });
  const renamed = tampered(signed, (name, content) => [name === from ? to : name, content]);
  const verdict = judge(renamed, [keys.publicKey]);
  expect(verdict).toMatchObject({ state: 'modified', verification: null });
  expect(verdict.reason).toMatch(/renamed after signing/);
});

test('a signature over names finds every renaming, also one that keeps the order', () => {
  const signed = signPackage(unsigned, keys.privateKey, { category: 'partner', coverNames: true });
  const renamed = tampered(signed, (name, content) => [name === 'main.py' ? 'main2.py' : name, content]);
  expect(judge(signed, [keys.publicKey]).state).toBe('verified');
  expect(judge(renamed, [keys.publicKey])).toMatchObject({ state: 'modified', verification: null });
});

test('packages in the order of today’s packer and of the older one are verified', () => {
  for (const names of [
    ['a-b.txt', 'a/x', 'b'],
    ['a/x', 'a-b.txt', 'b'],
  ]) {
    const archive = openArchive(unsigned);
    const rest = archive.names.map((name) => ({ name: `z/${name}`, content: archive.read(name) }));
    const files = [...names.map((name) => ({ name, content: Buffer.from(name) })), ...rest];
    expect(judge(comment(writeZip(files)), [keys.publicKey]).state).toBe('verified');
  }
});

test('a key that cannot be read does not keep the others from working', () => {
  const signed = signPackage(unsigned, keys.privateKey, { category: 'partner' });
  const verdict = judge(signed, ['not a key', keys.publicKey]);
  expect(verdict.state).toBe('verified');
  expect(verdict.keyProblems[0]?.message).toMatch(/^public key 1 cannot be used: failed to decode PEM block/);
});

test('keys are PKCS#1; white space around them does not matter, other text does', () => {
  expect(keys.privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  expect(keys.publicKey).toMatch(/^-----BEGIN RSA PUBLIC KEY-----\n/);
  expect(parsePublicKey(`\n${keys.publicKey}\n\n  \n`).asymmetricKeyType).toBe('rsa');
  expect(() => parsePublicKey(`${keys.publicKey}${keys.publicKey}`)).toThrow('extra data included in the PEM block');
  expect(() => parsePublicKey(keys.privateKey)).toThrow('failed to decode PEM block containing public key');
  expect(() => signPackage(unsigned, keys.publicKey)).toThrow('failed to decode PEM block containing private key');
});

test('what does not open is not signed', () => {
  expect(() => signPackage(Buffer.from('x'), keys.privateKey)).toThrow('zip: not a valid zip file');
  expect(() => signPackage(pack({ a: 'b' }), keys.privateKey)).toThrow('open manifest.yaml: file does not exist');
});
