/** What a started daemon has loaded from its bundle, and has not: that decides how soon it serves and how much memory it takes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reservePort } from '@plugin-daemon/services';
import { expect, test } from 'vitest';
import { eventually, TestDaemon, temporaryDirectory } from './harness.ts';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

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
    const own = files.filter((file) => file !== script).map((file) => file.slice(file.lastIndexOf('/') + 1));
    expect(own.toSorted()).toEqual(['main.js', 'roles.js']);
  } finally {
    await daemon.close();
  }
});

test('a bundle keeps what it compiled when it started, functions that ran included', async () => {
  using directory = temporaryDirectory();
  const dist = join(directory.path, 'dist');
  mkdirSync(dist);
  for (const name of ['package.json', 'main.js', 'roles.js']) copyFileSync(join(DIST, name), join(dist, name));
  const compiled = join(dist, 'compiled');
  const daemon = spawn(process.execPath, [join(dist, 'main.js')], {
    env: {
      PATH: process.env.PATH,
      DATA_DIR: join(directory.path, 'data'),
      SERVER_HOST: '127.0.0.1',
      SERVER_PORT: String(await reservePort()),
      PLUGIN_REMOTE_INSTALLING_ENABLED: 'false',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(daemon, 'exit');
  let name = '';
  try {
    name = await eventually('what was compiled is kept', () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
      return (existsSync(compiled) ? readdirSync(compiled) : []).find((one) => /^roles\.js\.\d+$/.test(one));
    });
  } finally {
    daemon.kill();
    await ended;
  }
  // The outermost function alone is a quarter of this.
  expect(statSync(join(compiled, name)).size).toBeGreaterThan(statSync(join(dist, 'roles.js')).size);
});

test('what is always loaded is text of one byte per character: one that is beyond ASCII would double it in memory', () => {
  for (const name of ['main.js', 'roles.js']) {
    const bytes = readFileSync(join(DIST, name));
    const at = bytes.findIndex((byte) => byte > 0x7f);
    const around = at < 0 ? '' : bytes.subarray(Math.max(0, at - 60), at + 20).toString();
    expect(around, `${name}: write it as \\u….`).toBe('');
  }
});
