/** What must not get in: every broken, oversized or dishonest package is refused with its cause, and nothing of it is kept. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, eventually, failureOf, ONE, TestDaemon } from './harness.ts';
import { packageOf, rudeFiles, rudePackage } from './plugins/package.ts';

const MIB = 1024 * 1024;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({ settings: { FORCE_VERIFYING_SIGNATURE: 'false' } });
});

afterAll(async () => {
  await daemon?.close();
});

const boundary = '----tests';
const head = Buffer.from(
  `--${boundary}\r\nContent-Disposition: form-data; name="dify_pkg"; filename="p.difypkg"\r\nContent-Type: application/octet-stream\r\n\r\n`,
);
const upload = (body: Buffer | AsyncIterable<Buffer>): Promise<Answer> =>
  daemon.answer('POST', `/plugin/${ONE}/management/install/upload/package`, {
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.isBuffer(body) ? Buffer.concat([head, body, Buffer.from(`\r\n--${boundary}--\r\n`)]) : body,
  });

/** The message of a refusal, after a look that nothing was kept. */
async function refused(packed: Buffer): Promise<string> {
  const before = stored();
  const { status, text } = await upload(packed);
  expect(status).toBe(200);
  const failure = failureOf(text);
  expect(failure.code === -400 || failure.code === -500).toBe(true);
  expect(stored()).toEqual(before);
  expect(await daemon.client().list()).toEqual([]);
  return failure.message;
}

function stored(): readonly string[] {
  const root = join(daemon.process.dataDirectory, 'storage');
  return existsSync(root) ? readdirSync(root, { recursive: true }).map(String).sort() : [];
}

test('a file that is no zip', async () => {
  expect(await refused(Buffer.from('this is not a package'))).toMatch(/not a valid difypkg file/);
});

test('a zip that is cut off, and one with damaged content', async () => {
  const whole = rudePackage('damaged');
  expect(await refused(whole.subarray(0, whole.length / 2))).toMatch(/not a valid difypkg file/);
  const damaged = Buffer.from(whole);
  const at = damaged.indexOf('variant.json');
  damaged.fill(0xaa, at + 12, at + 14);
  expect(await refused(damaged)).toMatch(/zip|checksum|flate|unexpected EOF/);
});

test('a zip bomb, honest or lying about its size', async () => {
  const bomb = packageOf(rudeFiles('bomb', {}, { '_assets/zeroes.bin': Buffer.alloc(200 * MIB) }));
  expect(bomb.length).toBeLessThan(MIB);
  const honest = await refused(bomb);
  expect(honest).toMatch(/size|large|limit/);
  expect(honest).toContain(String(50 * MIB));
  expect(await refused(lyingZip(200 * MIB, 10))).toMatch(/size|large|limit|checksum|zip/);
  expect(rssBytes()).toBeLessThan(600 * MIB);
});

test.each(['../outside.txt', '/etc/outside.txt', 'a/../../outside.txt', '..\\outside.txt'])(
  'an entry called %s',
  async (name) => {
    const message = await refused(packageOf({ ...rudeFiles('traversal'), [name]: 'gotcha' }));
    expect(message).toContain('outside.txt');
    expect(existsSync(join(daemon.process.dataDirectory, 'outside.txt'))).toBe(false);
    expect(existsSync('/etc/outside.txt')).toBe(false);
  },
);

test('300 MB are refused while they arrive, and the refusal can be read', async () => {
  let sent = 0;
  async function* parts(): AsyncGenerator<Buffer> {
    yield head;
    const part = Buffer.alloc(MIB);
    for (; sent < 300; sent++) yield part;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  const { text } = await upload(parts());
  expect(failureOf(text)).toMatchObject({ code: -400, type: 'PluginDaemonBadRequestError' });
  expect(failureOf(text).message).toContain('file size exceeds the maximum limit');
  expect(rssBytes()).toBeLessThan(450 * MIB);
  expect((await daemon.answer('GET', '/health/check')).status).toBe(200);
});

test('300 MB that are announced are refused before they are sent', async () => {
  const more = Promise.withResolvers<void>();
  const response = await daemon.request('POST', `/plugin/${ONE}/management/install/upload/package`, {
    headers: {
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': String(300 * MIB),
    },
    body: (async function* () {
      yield head;
      await more.promise;
    })(),
  });
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const whole = await eventually('the answer is there', () => (text.endsWith('}') ? text : undefined));
  expect(failureOf(whole).message).toContain('file size exceeds the maximum limit');
  response.destroy();
  more.resolve();
  expect((await daemon.answer('GET', '/health/check')).status).toBe(200);
});

test('broken YAML is named with file and line', async () => {
  const message = await refused(
    packageOf(
      rudeFiles('broken', {}, { 'provider/main.yaml': 'identity:\n  name: x\n   author: wrong\n  - also: wrong\n' }),
    ),
  );
  expect(message).toContain('provider/main.yaml');
  expect(message).toMatch(/line \d|:\d+/);
});

test('a wrong type in a declaration is named with file and line', async () => {
  const message = await refused(
    packageOf(
      rudeFiles('mistyped', {}, { 'provider/main.yaml': 'identity:\n  name: x\n  author: a\n  label: 7\ntools: {}\n' }),
    ),
  );
  expect(message).toContain('provider/main.yaml');
  expect(message).toMatch(/line \d/);
});

test('a file that the manifest names and the package lacks', async () => {
  const { 'provider/main.yaml': _gone, ...rest } = rudeFiles('missing');
  expect(await refused(packageOf(rest))).toContain('provider/main.yaml');
});

test('a signature that is wrong, and one that is missing', async () => {
  await using strict = await TestDaemon.start({ settings: { FORCE_VERIFYING_SIGNATURE: 'true' } });
  const plain = rudePackage('signed');
  await expect(strict.client().upload(plain)).rejects.toThrow(/bad signature/);
  const forged = withComment(plain, JSON.stringify({ signature: Buffer.alloc(512, 7).toString('base64'), time: 1 }));
  await expect(strict.client().upload(forged)).rejects.toThrow(/bad signature/);
  expect(await strict.client().list()).toEqual([]);
});

test('an upload that the client breaks off leaves nothing', async () => {
  const before = stored();
  await expect(
    upload(
      (async function* () {
        yield head;
        yield Buffer.alloc(MIB);
        throw new Error('the client has crashed');
      })(),
    ),
  ).rejects.toThrow('the client has crashed');
  await daemon.logged('upload broken off by the client');
  expect(stored()).toEqual(before);
});

function rssBytes(): number {
  const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

function withComment(zip: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment);
  const out = Buffer.concat([zip, text]);
  out.writeUInt16LE(text.length, zip.length - 2);
  return out;
}

/** One deflated entry that says it unpacks to `claimed` bytes and unpacks to `real`. */
function lyingZip(real: number, claimed: number): Buffer {
  const name = Buffer.from('manifest.yaml');
  const content = Buffer.alloc(real);
  const packed = deflateRawSync(content);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(claimed, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, packed]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}
