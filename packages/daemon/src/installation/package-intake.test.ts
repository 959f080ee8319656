import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPair, openPackage, signPackage, writeZip } from '@plugin-daemon/plugin-package';
import { afterEach, expect, test, vi } from 'vitest';
import type { ObjectStorage } from '../storage/index.ts';
import { type Harness, type HarnessOptions, openHarness } from './testing/harness.ts';
import { testBundle, testPackage, zip } from './testing/packages.ts';

const open: Harness[] = [];
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const made = await openHarness(options);
  open.push(made);
  return made;
}

const unsigned = { verifySignature: false };

async function stored({ storage }: Harness): Promise<{ packages: number; assets: number }> {
  return { packages: (await storage.list('plugin_packages')).length, assets: (await storage.list('assets')).length };
}

test('an upload stores icons, package and declaration, and installs nothing', async () => {
  const at = await harness();
  const bytes = testPackage();
  const copy = Buffer.from(bytes);
  const accepted = await at.installation.intake.upload(bytes, unsigned);
  expect(await at.storage.read(`plugin_packages/${accepted.identifier}`)).toEqual(copy);
  const stored = await at.database.declarations.find(accepted.identifier);
  expect(stored?.value).toMatchObject({ name: 'demo', icon: expect.stringMatching(/^[0-9a-f]{64}\.svg$/) });
  expect(await at.storage.exists(`assets/${String(stored?.value['icon'])}`)).toBe(true);
  expect(await at.database.plugins.exists(accepted.identifier)).toBe(false);
});

test('the same package again answers with what is stored', async () => {
  const at = await harness();
  const first = await at.installation.intake.upload(testPackage(), unsigned);
  const again = await at.installation.intake.upload(testPackage(), unsigned);
  expect(again.identifier).toBe(first.identifier);
  expect(Buffer.from(again.manifest)).toEqual(Buffer.from(first.manifest));
  expect(await stored(at)).toEqual({ packages: 1, assets: 1 });
});

test('the same content, now signed, counts as verified from then on; a failed upload changes nothing', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = await harness();
  const key = join(keys.directory, 'key.pem');
  await writeFile(key, publicKey.export({ type: 'pkcs1', format: 'pem' }));
  const at = await harness({ signatures: { thirdPartyKeys: true, publicKeyFiles: [key] } });
  const { intake } = at.installation;
  const { identifier } = await intake.upload(testPackage(), unsigned);
  const verified = async () => (await at.database.declarations.find(identifier))?.value['verified'];
  expect(await verified()).toBe(false);

  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const signed = () => new Uint8Array(signPackage(testPackage(), pem));
  const { declarations } = at.database;
  const replace = declarations.replace.bind(declarations);
  const fail = once(() => {
    throw new Error('database is locked');
  });
  declarations.replace = async (...args) => {
    fail();
    return replace(...args);
  };
  await expect(intake.upload(signed(), unsigned)).rejects.toThrow('database is locked\nfailed to save package');
  expect(await verified()).toBe(false);
  expect(await stored(at)).toEqual({ packages: 1, assets: 1 });

  const again = await intake.upload(signed(), unsigned);
  expect(again.identifier).toBe(identifier);
  expect(JSON.parse(again.manifest)).toMatchObject({ verified: true });
  expect(await verified()).toBe(true);
});

/** Does it the first time only. */
function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}

test('uploads at the same time do not disturb each other', async () => {
  const at = await harness();
  const { intake } = at.installation;
  const uploads = [1, 2, 3, 1, 2, 3].map((n) => intake.upload(testPackage({ name: `demo-${n}` }), unsigned));
  const accepted = await Promise.all(uploads);
  expect(new Set(accepted.map((each) => each.identifier)).size).toBe(3);
  expect(await stored(at)).toEqual({ packages: 3, assets: 1 });
});

test.each([
  ['the upload asks for a signature', {}, true],
  ['the daemon demands one', { forceVerification: true }, false],
])('%s: an unsigned package is refused and nothing is stored', async (_name, signatures, verifySignature) => {
  const at = await harness({ signatures });
  await expect(at.installation.intake.upload(testPackage(), { verifySignature })).rejects.toMatchObject({
    kind: 'bad-request',
    wireMessage: expect.stringMatching(
      /^plugin verification has been enabled, and the plugin you want to install has a bad signature: it is not signed\. Sign it/,
    ),
  });
  expect(await stored(at)).toEqual({ packages: 0, assets: 0 });
});

test('a bad signature is one of three, and each is told with its remedy', async () => {
  const [mine, others] = [generateKeyPair(2048), generateKeyPair(2048)];
  const at = await harness();
  const trusted = join(at.directory, 'mine.public.pem');
  await writeFile(trusted, mine.publicKey);
  const signatures = { forceVerification: true, thirdPartyKeys: true, publicKeyFiles: [trusted] };
  const strict = await harness({ signatures });
  const signed = signPackage(testPackage(), mine.privateKey, { category: 'community', coverNames: true });
  const archive = openPackage(signed);
  const tampered = writeZip(
    archive.names.map((name) => ({
      name,
      content: name === 'main.py' ? Buffer.from('print(666)') : archive.read(name),
    })),
    archive.comment,
  );
  const upload = (to: typeof strict, bytes: Uint8Array) =>
    to.installation.intake.upload(new Uint8Array(bytes), unsigned);
  const unknown = signPackage(testPackage(), others.privateKey, { category: 'community' });
  await expect(upload(strict, signed)).resolves.toBeDefined();
  await expect(upload(strict, testPackage())).rejects.toMatchObject({
    message: expect.stringContaining('bad signature: it is not signed'),
    remedy: expect.stringContaining('dify signature sign'),
  });
  await expect(upload(strict, unknown)).rejects.toMatchObject({
    message: expect.stringContaining('not trusted here (the official key and 1 more are)'),
    remedy: expect.stringContaining('THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS'),
  });
  await expect(upload(strict, tampered)).rejects.toMatchObject({
    message: expect.stringContaining('bad signature: it was changed after it was signed'),
    remedy: expect.stringContaining('Fetch it again'),
  });
  const off = await harness({ signatures: { ...signatures, thirdPartyKeys: false } });
  await expect(upload(off, signed)).rejects.toMatchObject({
    message: expect.stringContaining('as third parties are not verified'),
    remedy: expect.stringContaining('THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED=true'),
  });
});

test('a key file that cannot be used is named in the log, once, and the others count', async () => {
  const mine = generateKeyPair(2048);
  const { directory } = await harness();
  const file = async (name: string, content: string) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const missing = join(directory, 'missing.pem');
  const bad = [
    missing,
    directory,
    await file('nonsense.pem', 'not a key'),
    await file('private.pem', mine.privateKey),
    await file('large.pem', 'x'.repeat(70_000)),
  ];
  const publicKeyFiles = [...bad, ` ${await file('good.pem', mine.publicKey)} `];
  const { log } = await harness();
  const { calls } = vi.spyOn(log, 'error').mock;
  const signatures = { forceVerification: true, thirdPartyKeys: true, publicKeyFiles };
  const strict = await harness({ signatures, log });
  for (const one of bad) expect(JSON.stringify(calls)).toContain(JSON.stringify(one));
  expect(calls).toHaveLength(bad.length);
  const upload = (bytes: Uint8Array) => strict.installation.intake.upload(new Uint8Array(bytes), unsigned);
  await expect(upload(signPackage(testPackage(), mine.privateKey))).resolves.toBeDefined();
  await expect(upload(signPackage(testPackage(), generateKeyPair(2048).privateKey))).rejects.toThrow(
    `${bad.length} of the configured keys cannot be used`,
  );
  expect(calls).toHaveLength(bad.length);
});

test('a third party cannot vouch for a package as Dify’s own', async () => {
  const mine = generateKeyPair(2048);
  const { directory } = await harness();
  const key = join(directory, 'mine.pem');
  await writeFile(key, mine.publicKey);
  const at = await harness({ signatures: { forceVerification: true, thirdPartyKeys: true, publicKeyFiles: [key] } });
  for (const options of [{ category: 'langgenius' }, {}] as const) {
    const signed = new Uint8Array(signPackage(testPackage(), mine.privateKey, options));
    expect((await at.installation.intake.upload(signed, unsigned)).verification).toEqual({
      authorized_category: 'community',
    });
  }
  const partner = new Uint8Array(signPackage(testPackage(), mine.privateKey, { category: 'partner' }));
  expect((await at.installation.intake.upload(partner, unsigned)).verification).toEqual({
    authorized_category: 'partner',
  });
});

/** A storage whose nth write fails as on a full disk. */
function fullAfter(writes: number): { wrap: (inner: ObjectStorage) => ObjectStorage; made: () => number } {
  let made = 0;
  const wrap = (inner: ObjectStorage): ObjectStorage => ({
    type: inner.type,
    read: (key) => inner.read(key),
    readStream: (key) => inner.readStream(key),
    copy: (from, to) => inner.copy(from, to),
    exists: (key) => inner.exists(key),
    stat: (key) => inner.stat(key),
    list: (prefix) => inner.list(prefix),
    delete: (key) => inner.delete(key),
    problem: () => inner.problem(),
    close: () => inner.close(),
    write: async (key, data) => {
      if (made++ >= writes) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return inner.write(key, data);
    },
  });
  return { wrap, made: () => made };
}

test.each([0, 1])(
  'a disk that is full at write %i leaves nothing behind, and the next upload works',
  async (writes) => {
    const disk = fullAfter(writes);
    const at = await harness({ storage: disk.wrap });
    await expect(at.installation.intake.upload(testPackage(), unsigned)).rejects.toMatchObject({
      kind: 'bad-request',
      message: 'ENOSPC: no space left on device\nfailed to save package',
    });
    expect(disk.made()).toBe(writes + 1);
    expect(await stored(at)).toEqual({ packages: 0, assets: 0 });
    expect(await at.database.declarations.findMany([])).toEqual(new Map());
  },
);

test('a full disk does not take away the icon of another package', async () => {
  const disk = fullAfter(2);
  const at = await harness({ storage: disk.wrap });
  const first = await at.installation.intake.upload(testPackage({ name: 'first' }), unsigned);
  await expect(at.installation.intake.upload(testPackage({ name: 'second' }), unsigned)).rejects.toThrow('ENOSPC');
  expect(await stored(at)).toEqual({ packages: 1, assets: 1 });
  expect(await at.database.declarations.find(first.identifier)).toBeDefined();
});

test('a database that fails takes icons and package back', async () => {
  const at = await harness();
  const { declarations } = at.database;
  const insert = declarations.insertIfAbsent;
  declarations.insertIfAbsent = async () => {
    throw new Error('database is locked');
  };
  await expect(at.installation.intake.upload(testPackage(), unsigned)).rejects.toThrow(
    'database is locked\nfailed to save package',
  );
  expect(await stored(at)).toEqual({ packages: 0, assets: 0 });
  declarations.insertIfAbsent = insert;
  await at.installation.intake.upload(testPackage(), unsigned);
  expect(await stored(at)).toEqual({ packages: 1, assets: 1 });
});

test('a bundle stores its packages and reports the rest, in its order', async () => {
  const at = await harness();
  const bundle = testBundle(
    [
      { type: 'github', value: { repo_pattern: 'o/r:1.0.0/x.difypkg' } },
      { type: 'package', value: { path: 'inner' } },
      { type: 'marketplace', value: { marketplace_pattern: 'o/p:1.2.3' } },
    ],
    { inner: testPackage({ name: 'inner' }) },
  );
  const [github, inner, marketplace] = await at.installation.intake.uploadBundle(bundle, unsigned);
  expect(github).toEqual({
    type: 'github',
    value: { repo_address: 'https://github.com/o/r', repo: 'o/r', release: '1.0.0', packages: 'x.difypkg' },
  });
  expect(inner).toMatchObject({
    type: 'package',
    accepted: { identifier: expect.stringContaining('acme/inner:0.0.1@') },
  });
  expect(marketplace).toEqual({ type: 'marketplace', value: { organization: 'o', plugin: 'p', version: '1.2.3' } });
  expect(await stored(at)).toEqual({ packages: 1, assets: 1 });
});

const twoPackages = () =>
  testBundle(
    [
      { type: 'package', value: { path: 'a' } },
      { type: 'package', value: { path: 'b' } },
    ],
    { a: testPackage({ name: 'a' }), b: testPackage({ name: 'b' }) },
  );

test('when the second package of a bundle cannot be stored, the first is taken back', async () => {
  const disk = fullAfter(2);
  const at = await harness({ storage: disk.wrap });
  await expect(at.installation.intake.uploadBundle(twoPackages(), unsigned)).rejects.toMatchObject({
    kind: 'internal',
    message: 'failed to save package\nENOSPC: no space left on device',
  });
  expect(await stored(at)).toEqual({ packages: 0, assets: 0 });
});

test.each<[string, () => Uint8Array<ArrayBuffer>, string]>([
  ['that is no zip', () => new Uint8Array(Buffer.from('x')), 'zip: not a valid zip file\nfailed to decode bundle'],
  ['without a manifest', () => zip({ a: 'a' }), 'failed to decode bundle'],
  [
    'that lacks a package',
    () => testBundle([{ type: 'package', value: { path: 'none' } }], {}),
    'failed to fetch package from bundle\nasset not found',
  ],
  [
    'with a broken package',
    () => testBundle([{ type: 'package', value: { path: 'a' } }], { a: Buffer.from('x') }),
    'failed to create package decoder\n',
  ],
  [
    'with a package that claims to be official',
    () => testBundle([{ type: 'package', value: { path: 'a' } }], { a: testPackage({ author: 'langgenius' }) }),
    'plugin installation blocked: this plugin claims to be from Langgenius',
  ],
  [
    'with a debugging author',
    () =>
      testBundle([{ type: 'package', value: { path: 'a' } }], {
        a: testPackage({ author: '00000000-0000-4000-8000-000000000001' }),
      }),
    'cannot set author to an UUID',
  ],
])('a bundle %s is refused', async (_name, bytes, text) => {
  const at = await harness();
  await expect(at.installation.intake.uploadBundle(bytes(), unsigned)).rejects.toThrow(text);
  expect(await stored(at)).toEqual({ packages: 0, assets: 0 });
});

test('a package sent as a bundle is refused with what to do', async () => {
  const at = await harness();
  await expect(at.installation.intake.uploadBundle(testPackage(), unsigned)).rejects.toMatchObject({
    kind: 'bad-request',
    message: expect.stringContaining('this is a plugin, not a bundle'),
    remedy: expect.stringContaining('as a package'),
  });
});
