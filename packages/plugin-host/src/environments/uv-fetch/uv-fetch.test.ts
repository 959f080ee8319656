import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcessLauncher, type ProcessLauncher } from '../../launcher/index.ts';
import { packageOf } from '../testing.ts';
import { UvLocator } from '../uv-locator.ts';
import { configuredIndex } from './configured-index.ts';
import { fetchUv } from './index.ts';
import { KNOWN_WHEELS, knownVersions } from './known-wheels.ts';
import { chooseWheel, parseProjectPage } from './simple-index.ts';

let root = '';
let launcher: ProcessLauncher;
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'uv-fetch-'));
  launcher = createProcessLauncher();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await launcher.close();
  rmSync(root, { recursive: true, force: true });
});

const EXECUTABLE = '#!/bin/sh\necho "uv 9.9.9 (a stand-in)"\n';
const digest = (content: string, encoding: 'base64url' | 'hex') =>
  createHash('sha256').update(content).digest(encoding);

function wheel(options: { executable?: string; recorded?: string } = {}): Buffer {
  const path = 'uv-9.9.9.data/scripts/uv';
  const executable = options.executable ?? EXECUTABLE;
  return packageOf({
    [path]: executable,
    'uv-9.9.9.dist-info/RECORD': `${path},sha256=${options.recorded ?? digest(executable, 'base64url')},${executable.length}\nuv-9.9.9.dist-info/RECORD,,\n`,
  });
}

const NAME = `uv-9.9.9-py3-none-musllinux_1_1_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.whl`;

/** A simple index on loopback with one project; answers are by path. */
async function index(options: {
  json: boolean;
  file: Buffer;
  sha256?: string | null;
  requests?: string[];
  password?: string;
}): Promise<string> {
  const sha256 =
    options.sha256 === undefined ? createHash('sha256').update(options.file).digest('hex') : options.sha256;
  const server = createServer((request, response) => {
    options.requests?.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
    if (
      options.password &&
      request.headers.authorization !== `Basic ${Buffer.from(`me:${options.password}`).toString('base64')}`
    ) {
      response.writeHead(401).end();
    } else if (request.url === '/simple/uv/') {
      if (options.json) {
        const files = [
          { filename: NAME.replace('9.9.9', '9.9.10'), url: 'withdrawn.whl', hashes: {}, yanked: 'broken' },
          { filename: NAME, url: `../../files/${NAME}`, hashes: sha256 === null ? {} : { sha256 } },
        ];
        response
          .writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' })
          .end(JSON.stringify({ files }));
      } else {
        const hash = sha256 === null ? '' : `#sha256=${sha256}`;
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          .end(
            `<html><a href="x.whl" data-yanked="">${NAME.replace('9.9.9', '9.9.10')}</a><br/><a href="../../files/${NAME}${hash}">${NAME}</a></html>`,
          );
      }
    } else if (request.url === `/files/${NAME}`) {
      response.writeHead(302, { location: '/stored' }).end();
    } else if (request.url === '/stored') {
      response.writeHead(200).end(options.file);
    } else response.writeHead(404).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://${options.password ? `me:${options.password}@` : ''}127.0.0.1:${port}/simple`;
}

const sha256 = (file: Buffer) => createHash('sha256').update(file).digest('hex');

const options = (environment: Record<string, string>, file: Buffer = wheel(), pythons: string[] = []) => ({
  launcher,
  environment: { PATH: '/usr/bin:/bin', ...environment },
  log: { debug() {}, info() {}, warn() {} },
  proxies: { http: undefined, https: undefined, no: undefined },
  pythons,
  known: { [NAME]: sha256(file) },
  toolsDirectory: root,
});
const fetch = (environment: Record<string, string>, file?: Buffer) =>
  fetchUv(options(environment, file), AbortSignal.timeout(150_000));

test.each([true, false])('uv comes out of its wheel, checked (index with JSON: %s)', async (json) => {
  const requests: string[] = [];
  const UV_DEFAULT_INDEX = await index({ json, file: wheel(), requests, password: json ? 'p@ss' : '' });
  const path = await fetch({ UV_DEFAULT_INDEX: UV_DEFAULT_INDEX.replace('p@ss', 'p%40ss') });
  expect(path).toBe(join(root, 'uv-9.9.9', 'uv'));
  expect(readFileSync(path, 'utf8')).toBe(EXECUTABLE);
  expect(requests.map((one) => one.split(' ')[0])).toEqual(['/simple/uv/', `/files/${NAME}`, '/stored']);
});

test('a wheel whose digest is not known here, or whose executable it does not describe, is refused, and nothing is left', async () => {
  const recorded = wheel({ recorded: digest('other', 'base64url') });
  const empty = packageOf({ 'uv-9.9.9.dist-info/RECORD': '' });
  const cases: [RegExp, Parameters<typeof index>[0], Buffer?][] = [
    // The index vouches for another file than the repository: its word does not count.
    [/hash mismatch: .* instead of [0-9a-f]{64}/, { json: true, file: wheel({ executable: '#!/bin/sh\nexit\n' }) }],
    [/hash mismatch/, { json: false, file: wheel({ executable: '#!/bin/sh\nexit\n' }), sha256: null }],
    [/RECORD/, { json: true, file: recorded }, recorded],
    [/holds no executable/, { json: true, file: empty }, empty],
  ];
  for (const [message, served, known] of cases)
    await expect(fetch({ UV_DEFAULT_INDEX: await index(served) }, known)).rejects.toThrow(message);
  const UV_DEFAULT_INDEX = await index({ json: true, file: wheel() });
  const pinned = fetchUv({ ...options({ UV_DEFAULT_INDEX }), known: KNOWN_WHEELS }, AbortSignal.timeout(150_000));
  await expect(pinned).rejects.toThrow(/lists no uv .* whose digest is known \(versions \d+\.\d+\.\d+/);
  expect(readdirSync(root)).toEqual([]);
});

test('an index that gives no digest of its own is good enough', async () => {
  expect(await fetch({ UV_DEFAULT_INDEX: await index({ json: false, file: wheel(), sha256: null }) })).toContain('uv');
});

test.each([
  ['linux', 'x64'],
  ['linux', 'arm64'],
  ['darwin', 'arm64'],
  ['darwin', 'x64'],
  ['win32', 'x64'],
  ['win32', 'arm64'],
] as const)('every known version has a wheel for %s %s', (os, arch) => {
  for (const version of knownVersions(KNOWN_WHEELS)) {
    const files = Object.entries(KNOWN_WHEELS)
      .filter(([name]) => name.startsWith(`uv-${version}-`))
      .map(([name, hash]) => ({ name, url: '', sha256: hash }));
    expect(chooseWheel(files, { os, arch })?.sha256, version).toMatch(/^[0-9a-f]{64}$/);
  }
});

test('an index without uv, one that refuses and one that is not there say so', async () => {
  const url = await index({ json: true, file: wheel(), password: 'secret' });
  await expect(fetch({ UV_DEFAULT_INDEX: url.replace('secret', 'wrong') })).rejects.toThrow(/answered 401/);
  await expect(fetch({ UV_DEFAULT_INDEX: url.replace('/simple', '/other') })).rejects.toThrow(/answered 404/);
  await expect(fetch({ UV_DEFAULT_INDEX: 'http://127.0.0.1:1/simple' })).rejects.toThrow(/ECONNREFUSED/);
});

test('the wheel is chosen by machine: the newest, statically linked on Linux', () => {
  const files = [
    'uv-0.9.2-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
    'uv-0.9.2-py3-none-musllinux_1_1_x86_64.whl',
    'uv-0.10.0-py3-none-musllinux_1_1_x86_64.whl',
    'uv-0.10.0-py3-none-manylinux_2_28_aarch64.musllinux_1_1_aarch64.whl',
    'uv-0.10.0-py3-none-macosx_11_0_arm64.whl',
    'uv-0.10.0-py3-none-win_amd64.whl',
    'uv-0.11.0.tar.gz',
    'uv_build-0.12.0-py3-none-musllinux_1_1_x86_64.whl',
  ].map((name) => ({ name, url: `http://x/${name}`, sha256: undefined }));
  const chosen = (os: NodeJS.Platform, arch: string) => chooseWheel(files, { os, arch })?.name.replace('-py3-none', '');
  expect(chosen('linux', 'x64')).toBe('uv-0.10.0-musllinux_1_1_x86_64.whl');
  expect(chosen('linux', 'arm64')).toBe('uv-0.10.0-manylinux_2_28_aarch64.musllinux_1_1_aarch64.whl');
  expect(chosen('darwin', 'arm64')).toBe('uv-0.10.0-macosx_11_0_arm64.whl');
  expect(chosen('win32', 'x64')).toBe('uv-0.10.0-win_amd64.whl');
  expect(chosen('darwin', 'x64')).toBeUndefined();
  expect(parseProjectPage('<a href="/a&amp;b.whl#sha256=AB">x</a>', 'text/html', 'http://h/s/uv/')[0]).toEqual({
    name: 'x',
    url: 'http://h/a&b.whl',
    sha256: undefined,
  });
});

test('the index is found where uv and pip are configured', async () => {
  writeFileSync(
    join(root, 'pip.conf'),
    '[global]\nindex_url = http://pip/simple\ncert: /ca.pem\n[other]\nproxy = http://no\n',
  );
  writeFileSync(
    join(root, 'uv.toml'),
    'index-url = "http://plain"\n[[index]]\nurl = "http://extra"\n[[index]]\nname = "a"\nurl = "http://default/"\ndefault = true\n',
  );
  const at = (environment: Record<string, string>) => configuredIndex(environment);
  const PIP_CONFIG_FILE = join(root, 'pip.conf');
  const UV_CONFIG_FILE = join(root, 'uv.toml');
  expect(await at({ PIP_CONFIG_FILE })).toEqual({ url: 'http://pip/simple/', caFile: '/ca.pem', proxy: undefined });
  expect((await at({ PIP_CONFIG_FILE, UV_CONFIG_FILE })).url).toBe('http://default/');
  expect((await at({ UV_CONFIG_FILE, PIP_INDEX_URL: 'http://env/simple//', SSL_CERT_FILE: '/c' })).url).toBe(
    'http://env/simple/',
  );
  expect((await at({ UV_DEFAULT_INDEX: 'name=http://named', UV_INDEX_URL: 'http://b' })).url).toBe('http://named/');
});

test('uv is looked for in order: UV_PATH, PATH, fetched before, the interpreter’s package, fetched now', async () => {
  const place = (name: string, content = EXECUTABLE) => {
    const path = join(root, name);
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    return path;
  };
  const configured = place('configured');
  const locate = (extra: { configured?: string; PATH?: string; interpreter?: string; toolsDirectory?: string }) =>
    new UvLocator({
      launcher,
      configured: extra.configured,
      pythons: async () => ['/nonexistent/python', ...(extra.interpreter === undefined ? [] : [extra.interpreter])],
      toolsDirectory: extra.toolsDirectory ?? join(root, 'tools'),
      environment: { PATH: extra.PATH ?? '/nonexistent' },
      lifetime: new AbortController().signal,
      fetch: async () => 'fetched',
    }).locate(AbortSignal.timeout(150_000));
  expect(await locate({ configured, PATH: root })).toBe(configured);
  const onPath = place('uv');
  expect(await locate({ PATH: root })).toBe(onPath);
  place('uv', '#!/bin/sh\necho "pyenv: uv: command not found" >&2\nexit 127\n');
  const interpreter = place('python', `#!/bin/sh\necho ${configured}\n`);
  expect(await locate({ PATH: root, interpreter })).toBe(configured);
  expect(await locate({ PATH: root })).toBe('fetched');
  const UV_DEFAULT_INDEX = await index({ json: true, file: wheel() });
  const fetched = await fetch({ UV_DEFAULT_INDEX });
  expect(await locate({ PATH: root, interpreter, toolsDirectory: root })).toBe(fetched);
});

test('without a configured index the pip of every interpreter is asked for what is known, and says why it could not', async () => {
  const python = (name: string, script: string) => {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const home = { HOME: root, PIP_CONFIG_FILE: '/dev/null' };
  const fetchWith = (...pythons: string[]) =>
    fetchUv({ ...options(home, wheel(), pythons), known }, AbortSignal.timeout(150_000));
  const known = { [NAME]: sha256(wheel()), [NAME.replace('9.9.9', '9.9.10')]: 'f'.repeat(64) };
  const none = python('none', 'echo "ERROR: no pip here" >&2; exit 1');
  await expect(fetchWith(none)).rejects.toThrow(/none did not download it \(exit status 1\): ERROR: no pip here$/);
  await expect(fetchWith()).rejects.toThrow(/no package index is configured, and there is no Python/);
  // The folder is the last argument; the index has only the older of the two versions.
  writeFileSync(join(root, 'wheel'), wheel());
  const pip = python(
    'pip',
    `for folder; do :; done
grep -q "^uv==9.9.9 --hash=sha256:${sha256(wheel())}$" requirements.txt || { echo "ERROR: No matching distribution found" >&2; exit 1; }
cp ${join(root, 'wheel')} "$folder/${NAME}"`,
  );
  expect(await fetchWith(none, pip)).toBe(join(root, 'uv-9.9.9', 'uv'));
});

/** An index that answers its page like this. */
async function saying(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
}

const JSON_PAGE = { 'content-type': 'application/vnd.pypi.simple.v1+json' };
const endless = (response: ServerResponse): void => {
  const part = Buffer.alloc(1024 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(part));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  ['a page without end', (response) => endless(response.writeHead(200, JSON_PAGE)), /sends more than \d+ bytes/],
  [
    'a page that announces too much',
    (response) => response.writeHead(200, { ...JSON_PAGE, 'content-length': '99999999999' }).write('{'),
    /sends more than \d+ bytes/,
  ],
  [
    'JSON of a depth that nobody means',
    (response) => response.writeHead(200, JSON_PAGE).end(`{"files":${'['.repeat(500_000)}${']'.repeat(500_000)}}`),
    /refused, because it is nested deeper/,
  ],
  [
    'JSON of a million parts',
    (response) => response.writeHead(200, JSON_PAGE).end(`{"files":[${'{},'.repeat(1_000_001)}{}]}`),
    /refused, because it has more than/,
  ],
  [
    'half of a page',
    (response) => response.writeHead(200, JSON_PAGE).end('{"files":['),
    /refused, because it is no JSON/,
  ],
  [
    'something else',
    (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('\x89PNG'),
    /lists no uv/,
  ],
  [
    'lists of anything',
    (response) => response.writeHead(200, JSON_PAGE).end('{"files":[null,1,[],{"filename":1}]}'),
    /lists no uv/,
  ],
  [
    'redirects in a circle',
    (response) => response.writeHead(302, { location: '/simple/uv/' }).end(),
    /redirects without end/,
  ],
])('an index that answers with %s is refused for it', async (_, answer, message) => {
  await expect(fetch({ UV_DEFAULT_INDEX: await saying(answer) })).rejects.toThrow(message);
  expect(readdirSync(root)).toEqual([]);
});

test('an index that never begins to answer is waited for as long as the caller does', async () => {
  const UV_DEFAULT_INDEX = await saying(() => undefined);
  await expect(fetchUv(options({ UV_DEFAULT_INDEX }), AbortSignal.timeout(100))).rejects.toThrow(/abort|timeout/i);
});

test('a link that leads nowhere does not take away the others', () => {
  const base = 'https://index.example/simple/uv/';
  const [good, bad] = ['good-1-py3-none-any.whl', 'bad-1-py3-none-any.whl'];
  const files = [
    { filename: bad, url: 'http://[' },
    { filename: good, url: good },
  ];
  expect(parseProjectPage(JSON.stringify({ files }), 'application/json', base).map(({ name }) => name)).toEqual([good]);
  const html = `<a href="http://[">${bad}</a><a href="${good}">${good}</a>`;
  expect(parseProjectPage(html, 'text/html', base).map(({ name }) => name)).toEqual([good]);
});
