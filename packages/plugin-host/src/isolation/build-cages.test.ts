/** A build in its cage, with real processes: what it reads, where it writes, and to whom the files belong afterwards. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcessLauncher, type ProcessLauncher } from '../launcher/index.ts';
import { silentLog } from '../log/index.ts';
import { type Isolation, openIsolation } from './index.ts';

let root: string;
let launcher: ProcessLauncher;
let isolation: Isolation;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'build-cages-'));
  for (const path of ['data/keys', 'data/cwd/tests/plugin', 'data/cwd/tests/other', 'data/cwd/.uv-cache'])
    mkdirSync(join(root, path), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, 'data/keys/key'), 'secret');
  writeFileSync(join(root, 'data/cwd/tests/other/main.py'), '');
  writeFileSync(join(root, 'data/cwd/tests/plugin/main.py'), 'the package');
  launcher = createProcessLauncher();
  isolation = openIsolation({
    setting: 'auto',
    users: { first: 50_000, last: 50_009 },
    readable: [],
    writable: [],
    dataDirectory: join(root, 'data'),
    workingPath: join(root, 'data/cwd'),
    toolsPath: join(root, 'data/tools'),
    hidden: [],
    launcher,
    log: silentLog,
    limits: { memoryFactor: 4, memoryFloor: 1 << 30, processes: 500, openFiles: 500, fileBytes: 0, cpuPercent: 0 },
    onInForce: () => undefined,
  });
});

afterEach(async () => {
  await launcher.close();
  await isolation.close();
  rmSync(root, { recursive: true, force: true });
});

const directory = () => join(root, 'data/cwd/tests/plugin');

async function build(code: string): Promise<unknown> {
  const caged = await isolation.builds.enter({
    spec: {
      command: '/usr/bin/python3',
      args: ['-I', '-S', '-c', code],
      cwd: directory(),
      env: { PATH: '/usr/bin:/bin' },
    },
    directory: directory(),
    writable: [join(root, 'data/cwd/.uv-cache')],
    readable: [],
    pythons: ['/usr/bin/python3'],
  });
  const running = await launcher.launch(caged.spec);
  let text = '';
  running.stdout.setEncoding('utf8').on('data', (piece) => (text += piece));
  running.stderr.setEncoding('utf8').on('data', (piece) => (text += piece));
  const closed = new Promise((resolve) => running.stdout.once('close', resolve));
  await Promise.all([running.exited, closed]);
  await caged.leave();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

test.skipIf(process.platform !== 'linux')(
  'it makes an environment and fills its cache, reaches the network, and sees nothing else of the daemon',
  async (context) => {
    if (!(await isolation.plugins.keepsEnvironments())) context.skip('no isolation is possible here');
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const seen = await build(`
import json, os, socket
os.makedirs('.venv/bin'); open('.venv/bin/python', 'w').close()
open('${root}/data/cwd/.uv-cache/wheel', 'w').close()
def readable(path):
    try: return open(path).read() or 'empty'
    except OSError: return None
print(json.dumps([readable('main.py'), readable('${root}/data/keys/key'), readable('${root}/data/cwd/tests/other/main.py'),
  socket.create_connection(('127.0.0.1', ${port})).recv(5).decode(), sorted(os.environ)]))
`);
    server.close();
    expect(seen).toEqual(['the package', null, null, 'hello', expect.not.arrayContaining(['SERVER_KEY'])]);
    expect(existsSync(join(directory(), '.venv/bin/python'))).toBe(true);
    expect(existsSync(join(root, 'data/cwd/.uv-cache/wheel'))).toBe(true);
    const me = process.geteuid?.();
    expect(statSync(join(directory(), 'main.py')).uid).toBe(me);
    expect(readFileSync(join(directory(), 'main.py'), 'utf8')).toBe('the package');
    if (me === 0) expect(statSync(join(directory(), '.venv/bin/python')).uid).toBe(50_000);
    // A second build of the same cache goes on where the first has ended.
    expect(await build(`open('${root}/data/cwd/.uv-cache/wheel', 'a').close(); print(1)`)).toBe(1);
  },
);
