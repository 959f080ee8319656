/** What a started daemon has loaded from its bundle, and has not: that decides how soon it serves and how much memory it takes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reservePort } from '@plugin-daemon/services';
import { beforeAll, expect, test } from 'vitest';
import { eventually, TestDaemon, temporaryDirectory } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
/** The directory that dist/main.js leads to. */
let build = '';
beforeAll(() => {
  // Makes the bundle anew where sources are younger.
  execFileSync(process.execPath, [fileURLToPath(new URL('../start.mjs', import.meta.url)), '--help']);
  build = /[0-9a-f]{16}/.exec(readFileSync(join(DIST, 'main.js'), 'utf8'))?.[0] ?? '';
}, 120_000);

/** What is shipped, elsewhere. @returns the path of main.js */
function copiedTo(directory: string): string {
  const dist = join(directory, 'dist');
  cpSync(join(DIST, build), join(dist, build), { recursive: true, filter: (path) => !path.endsWith('compiled') });
  for (const name of ['package.json', 'main.js']) copyFileSync(join(DIST, name), join(dist, name));
  symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(directory, 'node_modules'));
  return join(dist, 'main.js');
}

/** Run in the daemon before it: writes down what is loaded when it is told to. */
const TELLING = (file: string): string => `
const { writeFileSync, renameSync } = require('node:fs');
process.on('SIGUSR2', () => {
  const loaded = { parts: process.moduleLoadList, files: Object.keys(require.cache) };
  writeFileSync(${JSON.stringify(`${file}.new`)}, JSON.stringify(loaded));
  renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)});
});`;

test('an idle daemon has loaded what it needs to serve, and nothing else', async () => {
  using directory = temporaryDirectory();
  const told = join(directory.path, 'loaded.json');
  const script = join(directory.path, 'tell.cjs');
  writeFileSync(script, TELLING(told));
  const daemon = await TestDaemon.start({ settings: { NODE_OPTIONS: `--require ${script}` } });
  try {
    process.kill(daemon.process.pid, 'SIGUSR2');
    const text = await eventually('the daemon tells', () => {
      const names = readdirSync(directory.path);
      return names.includes('loaded.json') ? readFileSync(told, 'utf8') : undefined;
    });
    const { parts, files }: { parts: string[]; files: string[] } = JSON.parse(text);
    const nodeParts = new Set(parts.map((part) => part.replace('NativeModule ', '')));
    expect(nodeParts).toContain('http');
    for (const part of ['internal/deps/undici/undici', 'internal/crypto/webcrypto', 'tls', 'https', 'http2', 'zlib'])
      expect(nodeParts).not.toContain(part);
    const own = files.filter((file) => file !== script).map((file) => file.slice(DIST.length));
    expect(own.toSorted()).toEqual(['main.js', `${build}/roles.js`].toSorted());
  } finally {
    await daemon.close();
  }
});

test.each([
  { when: 'a second after its start', stops: false },
  { when: 'when it is stopped before', stops: true },
])('a bundle keeps what it compiled, functions that ran included: $when', async ({ stops }) => {
  using directory = temporaryDirectory();
  const main = copiedTo(directory.path);
  const dist = dirname(main);
  const compiled = join(dist, build, 'compiled');
  const port = await reservePort();
  const daemon = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      DATA_DIR: join(directory.path, 'data'),
      SERVER_HOST: '127.0.0.1',
      SERVER_PORT: String(port),
      PLUGIN_REMOTE_INSTALLING_ENABLED: 'false',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(daemon, 'exit');
  const kept = () => (existsSync(compiled) ? readdirSync(compiled) : []).find((one) => /^roles\.js\.\d+$/.test(one));
  try {
    await eventually('it serves, or has kept what was compiled', async () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
      if (!stops) return kept();
      const answer = await fetch(`http://127.0.0.1:${port}/health/check`).catch(() => undefined);
      return answer?.status === 200 ? '' : undefined;
    });
  } finally {
    daemon.kill();
    await ended;
  }
  const name = kept() ?? '';
  // The outermost function alone is a quarter of this.
  expect(statSync(join(compiled, name)).size).toBeGreaterThan(statSync(join(dist, build, 'roles.js')).size);
});

/** What files of the next build say when they are loaded. */
const NEXT_BUILD = 'a file of the build that took the place of this one';

test('after an upgrade in place a daemon goes on with the files it was started from, worker threads and new workers included', async () => {
  using directory = temporaryDirectory();
  const main = copiedTo(directory.path);
  await using daemon = await TestDaemon.start({
    settings: { WORKERS: '2' },
    through: ['/bin/sh', '-c', `exec "$0" '${main}'`],
  });
  await daemon.logged('workers=2');
  // The next version, of which nothing works.
  const next = join(dirname(main), '0123456789abcdef');
  cpSync(join(dirname(main), build), next, { recursive: true });
  for (const name of readdirSync(next).filter((one) => one.endsWith('.js')))
    writeFileSync(join(next, name), `throw new Error("${NEXT_BUILD}");`);
  writeFileSync(`${main}.new`, readFileSync(main, 'utf8').replace(build, '0123456789abcdef'));
  renameSync(`${main}.new`, main);
  await daemon.install(rudePackage('late'));
  const worker = /this worker serves worker=1 pid=(\d+)/.exec(daemon.log)?.[1];
  process.kill(Number(worker), 'SIGKILL');
  await eventually(
    'another takes its place',
    () => [...daemon.log.matchAll(/this worker serves worker=1 /g)].length === 2 || undefined,
  );
  expect((await daemon.call('late', 'echo', { parameters: { text: 'there' } })).texts).toEqual(['there']);
  expect(daemon.log).not.toContain(NEXT_BUILD);
});

test('what is always loaded is text of one byte per character: one that is beyond ASCII would double it in memory', () => {
  for (const name of ['main.js', 'roles.js']) {
    const bytes = readFileSync(join(DIST, build, name));
    const at = bytes.findIndex((byte) => byte > 0x7f);
    const around = at < 0 ? '' : bytes.subarray(Math.max(0, at - 60), at + 20).toString();
    expect(around, `${name}: write it as \\u….`).toBe('');
  }
});
