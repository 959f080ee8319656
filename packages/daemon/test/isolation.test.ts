import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { manifest, rudePackage, yaml } from './plugins/package.ts';
import { situations } from './situations.ts';

const MIB = 1024 * 1024;
const KEY = 'the-server-key-of-the-test';
const INNER_KEY = 'the-inner-key-of-the-test';
const LIMITS = {
  PLUGIN_MEMORY_FACTOR: '1',
  PLUGIN_MEMORY_FLOOR: String(160 * MIB),
  PLUGIN_MAX_PROCESSES: '50',
  PLUGIN_MAX_OPEN_FILES: '100',
  PLUGIN_MAX_FILE_BYTES: String(MIB),
};
const plugin = (name: string) =>
  rudePackage(name, {}, { 'manifest.yaml': yaml(manifest(name, { pythonVersion: '3.11' })) });

for (const situation of situations) {
  if (situation.impossible !== undefined) {
    test.skip(`${situation.name}: ${situation.impossible}`, () => undefined);
    continue;
  }
  // What holds only where something is held in; there is nothing to ask of the others.
  const whenIsolated: (name: string, run: () => Promise<void>) => void = situation.isolated ? test : () => undefined;
  describe(situation.name, () => {
    let daemon: TestDaemon;
    let identifiers: Record<string, string>;

    const start = () =>
      TestDaemon.start({
        serverKey: KEY,
        innerApi: { url: 'http://127.0.0.1:9', key: INNER_KEY },
        settings: { ...LIMITS, ...situation.settings },
        ...(situation.through && { through: situation.through }),
        ...(situation.owner !== undefined && { owner: situation.owner }),
        passable: true,
      });

    /** `result` of the code, run inside a plugin. */
    async function inside(name: string, code: string, from = daemon): Promise<unknown> {
      const answer = await from.call(name, 'run', { parameters: { code } });
      return JSON.parse(answer.texts[0] ?? 'null');
    }

    beforeAll(async () => {
      daemon = await start();
      // Where the daemon looks for settings: an operator may have left it readable to all.
      writeFileSync(settingsFile(), 'DB_PASSWORD=secret\n', { mode: 0o644 });
      identifiers = {};
      for (const name of ['spy', 'victim']) identifiers[name] = await daemon.install(plugin(name));
      // In another mode nothing below means anything, and what is not held in would stop the daemon when it tries to trace it.
      const ready = await fetch(`${daemon.process.url}/readyz`, { headers: { 'X-Api-Key': KEY } });
      const found = JSON.stringify(await ready.json());
      if (!found.includes(`"${identifiers['spy']}":"${situation.mode}"`))
        throw new Error(`not in mode ${situation.mode}: ${found}\n${daemon.process.logTail(1000)}`);
    }, 240_000);

    afterAll(() => daemon?.close());

    const settingsFile = () => join(daemon.process.dataDirectory, '../.env');
    const directoryOf = (name: string): string =>
      join(daemon.process.dataDirectory, 'cwd', (identifiers[name] ?? '').replace(':', '-'));

    /** The number of a plugin's process on this machine. */
    const outside = (name: string): number => {
      const found = daemon.processes().find((pid) => readlinkSync(`/proc/${pid}/cwd`).startsWith(directoryOf(name)));
      if (found === undefined) throw new Error(`${name} does not run`);
      return found;
    };

    test('the mode in force is told in the log, by /readyz and by the metrics', async () => {
      const ready = await fetch(`${daemon.process.url}/readyz`, { headers: { 'X-Api-Key': KEY } });
      expect(await ready.json()).toMatchObject({ isolation: { [identifiers.spy ?? '']: situation.mode } });
      const metrics = await fetch(`${daemon.process.url}/metrics/`, { headers: { 'X-Api-Key': KEY } });
      expect(await metrics.text()).toContain(`plugin_isolation{plugin_id="tests/spy",mode="${situation.mode}"} 1`);
      expect(daemon.process.logTail(1000)).toMatch(
        new RegExp(`plugin is started.*isolation=${situation.mode.replace('+', '\\+')}`),
      );
    });

    test('the keys are not in what the daemon was started with', () => {
      const environment = readFileSync(`/proc/${daemon.process.pid}/environ`, 'latin1');
      const commandLine = readFileSync(`/proc/${daemon.process.pid}/cmdline`, 'latin1');
      for (const key of [KEY, INNER_KEY]) {
        expect(environment).not.toContain(key);
        expect(commandLine).not.toContain(key);
      }
    });

    test('neither plugins nor anybody else reads the token of the launcher in its arguments', () => {
      const helpers = childrenOf(daemon.process.pid);
      expect(helpers.length).toBeGreaterThan(0);
      for (const pid of helpers) {
        expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')).not.toMatch(/ [0-9a-f]{32} /);
      }
    });

    test('it works in its own directory: reads all, adds files, and finds home and temporary files', async () => {
      const seen = await inside(
        'spy',
        `
import os, tempfile
os.makedirs('made/deep', exist_ok=True)
open('made/deep/file', 'w').write('kept')
with tempfile.NamedTemporaryFile() as file: file.write(b'x')
if ${situation.isolated ? 'True' : 'False'}: open(os.path.expanduser('~/note'), 'w').write('mine')
result = [len(open('main.py').read()) > 1000, open('made/deep/file').read()]
`,
      );
      expect(seen).toEqual([true, 'kept']);
      expect(existsSync(join(directoryOf('spy'), 'made/deep/file'))).toBe(true);
    });

    whenIsolated('nothing of the daemon and of other plugins can be read', async () => {
      const hidden = await inside(
        'victim',
        `
import tempfile
file = tempfile.NamedTemporaryFile(delete=False)
file.write(b'secret')
file.close()
open('private', 'w').write('secret')
result = file.name
`,
      );
      const { dataDirectory, pid } = daemon.process;
      const victim = outside('victim');
      const paths = [
        `/proc/${pid}/environ`,
        `/proc/${pid}/mem`,
        `/proc/${pid}/maps`,
        `/proc/${pid}/cwd`,
        `/proc/${victim}/environ`,
        `/proc/${victim}/mem`,
        join(dataDirectory, 'daemon.sqlite'),
        join(dataDirectory, 'plugin-users.json'),
        join(dataDirectory, 'daemon.lock'),
        ...readdirSync(dataDirectory)
          .filter((name) => !['cwd', 'scratch', 'tools'].includes(name))
          .map((name) => join(dataDirectory, name)),
        ...['main.py', 'private', '.venv/pyvenv.cfg', '.environment.log'].map((name) =>
          join(directoryOf('victim'), name),
        ),
        String(hidden),
        settingsFile(),
        '/etc/shadow',
      ]; // prettier-ignore
      expect(existsSync(join(directoryOf('victim'), 'main.py'))).toBe(true);
      const read = await inside(
        'spy',
        `
import os
def readable(path):
    try:
        if os.path.isdir(path): return os.listdir(path) or None
        with open(path, 'rb') as file: return file.read(1) and path
    except OSError: return None
result = [path for path in ${JSON.stringify(paths)} if readable(path)]
`,
      );
      expect(read).toEqual([]);
    });

    whenIsolated('neither its own code nor anything of others can be written', async () => {
      const paths = [
        ...['main.py', 'manifest.yaml', 'tools/new.py', '.venv/new', '.venv/pyvenv.cfg'].map((name) =>
          join(directoryOf('spy'), name),
        ),
        ...['main.py', 'new'].map((name) => join(directoryOf('victim'), name)),
        join(daemon.process.dataDirectory, 'new'),
        join(daemon.process.dataDirectory, 'cwd', 'new'),
        join(daemon.process.dataDirectory, 'cwd', 'tests', 'new'),
        '/usr/new',
        '/etc/new',
      ];
      const sizes = () =>
        Object.fromEntries(paths.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.size ?? -1]));
      const before = sizes();
      const moved = await inside(
        'spy',
        `
import os
for path in ${JSON.stringify(paths)}:
    try:
        with open(path, 'ab') as file: file.write(b'x')
    except OSError: pass
def movable(path):
    try:
        os.rename(path, path + '.moved')
        return True
    except OSError: return False
result = [name for name in ('main.py', '.venv', 'tools') if movable(name)]
`,
      );
      // A user of its own may add files to its package's folders; nothing that is there is replaced.
      const added = situation.mode === 'namespace' ? {} : { [join(directoryOf('spy'), 'tools/new.py')]: 1 };
      expect(sizes()).toEqual({ ...before, ...added });
      expect(moved).toEqual([]);
    });

    whenIsolated('plugins share an environment, and none of them can change it, by whatever name', async () => {
      const places = ['spy', 'victim'].map((name) => realpathSync(join(directoryOf(name), '.venv/lib')));
      expect(new Set(places).size).toBe(1);
      const [library = ''] = places;
      expect(library).toContain('/.environments/');
      const contents = () =>
        JSON.stringify([
          readdirSync(dirname(library), { recursive: true }).sort(),
          readdirSync(join(dirname(library), '..')),
        ]);
      const before = contents();
      const done = await inside(
        'spy',
        `
import os, shutil, sys, sysconfig
folder = sysconfig.get_path('purelib')
shared = os.path.dirname(${JSON.stringify(library)})
def does(work):
    try:
        work()
        return True
    except OSError: return False
tried = {
    'write': lambda: open(folder + '/new.py', 'w'),
    'write by its real name': lambda: open(os.path.realpath(folder) + '/new.py', 'w'),
    'directory': lambda: os.mkdir(shared + '/new'),
    'record': lambda: os.unlink(shared + '/dify/environment.json'),
    'interpreter': lambda: os.unlink(shared + '/bin/python'),
    'mode': lambda: os.chmod(shared, 0o777),
    'move': lambda: os.rename(shared, shared + '.moved'),
    'remove': lambda: shutil.rmtree(shared),
    'other link': lambda: os.symlink('/tmp', sys.prefix + '/lib2'),
    'link': lambda: os.unlink(sys.prefix + '/lib'),
}
does(lambda: os.mkdir(os.path.dirname(shared) + '/' + 'f' * 32))  # where it lies in a view, that is a place of its own
result = [name for name, work in tried.items() if does(work)]
`,
      );
      expect(done).toEqual([]);
      expect(contents()).toBe(before);
    });

    whenIsolated('nobody can be signalled or traced, and the launcher cannot be found', async () => {
      const { pid } = daemon.process;
      const others = [pid, ...childrenOf(pid), outside('victim')];
      const reached = await inside(
        'spy',
        `
import ctypes, glob, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def signalled(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError: return False
def connected(path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        return True
    except OSError: return False
others = [pid for pid in ${JSON.stringify(others)} if pid != os.getpid()]
named = [line.split()[-1] for line in open('/proc/net/unix') if 'plugin-launcher-' in line]
status = dict(line.split(':\\t', 1) for line in open('/proc/self/status'))
result = {
  'signalled': [pid for pid in others if signalled(pid)],
  'traced': [pid for pid in others if libc.ptrace(16, pid, 0, 0) == 0],
  'connected': [path for path in named + glob.glob('/tmp/plugin-launcher-*/socket') if connected(path)],
  'capabilities': [status[name].strip().strip('0') for name in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb', 'CapInh')],
  'privileges': status['NoNewPrivs'].strip(),
  'core': __import__('resource').getrlimit(4),
  'umask': os.umask(0o077),
}
`,
      );
      expect(reached).toEqual({
        signalled: [],
        traced: [],
        connected: [],
        capabilities: ['', '', '', '', ''],
        privileges: '1',
        core: [0, 0],
        umask: 0o077,
      });
    });

    test('more memory than allowed ends that plugin, and its sessions say so', async () => {
      const hog = daemon.call('spy', 'run', {
        parameters: { code: 'held = []\nwhile True: held.append(bytearray(8 << 20))' },
      });
      const { inner } = (await hog).failure;
      expect(inner?.message).toContain('it used more than its memory limit of 160 MiB (PLUGIN_MEMORY_FLOOR)');
      expect(inner?.args).toMatchObject({ memory_limit: 160 * MIB, signal: 'SIGKILL' });
      expect(await inside('spy', 'result = 1')).toBe(1);
      expect(await inside('victim', 'result = 2')).toBe(2);
    });

    test('open files and the size of files are limited', async () => {
      const hit = await inside(
        'spy',
        `
import errno, os
def until(act):
    try:
        for n in range(100000): act(n)
    except OSError as error: return [n, errno.errorcode[error.errno]]
kept = []
import tempfile
file = tempfile.TemporaryFile(buffering=0)
size = until(lambda n: file.write(bytes(65536)))
files = until(lambda n: kept.append(os.open('/dev/null', os.O_RDONLY)))
for one in kept: os.close(one)
result = [size[0] <= 16, size[1], files[0] < 100, files[1]]
`,
      );
      expect(hit).toEqual([true, 'EFBIG', true, 'EMFILE']);
    });

    whenIsolated('a fork bomb stays within its number of processes, and ends with its plugin', async () => {
      const mark = marked();
      const made = await inside(
        'spy',
        `
import errno, os
made = 0
for n in range(300):
    try: pid = os.fork()
    except OSError as error: break
    if pid == 0: os.execv('/bin/sleep', ['sleep', '${mark}'])
    made += 1
result = made
`,
      );
      expect(made).toBeLessThan(60);
      expect(made).toBeGreaterThan(10);
      await daemon.call('spy', 'kill');
      await eventually('all of it ends', () => running(mark).length === 0 || undefined);
    });

    const escapee = (mark: string) => `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open('/dev/null', os.O_RDWR)
        for fd in range(3): os.dup2(null, fd)
        os.execv('/bin/sleep', ['sleep', '${mark}'])
    os._exit(0)
os.wait()
result = 1
`;

    test('a child in a session of its own, whose parent is gone, ends with its plugin', async () => {
      const mark = marked();
      expect(await inside('spy', escapee(mark))).toBe(1);
      await eventually('it runs', () => running(mark).length === 1 || undefined);
      await daemon.call('spy', 'kill');
      await eventually('it ends', () => running(mark).length === 0 || undefined);
    });

    for (const [way, end] of Object.entries({
      'the plugin is uninstalled': async (one: TestDaemon) => {
        const [installed] = await one.client().list();
        await one.client().uninstall(installed?.id ?? '');
      },
      'the daemon is ended': (one: TestDaemon) => one.process.stop('SIGTERM'),
      'the daemon is killed': (one: TestDaemon) => one.process.stop('SIGKILL'),
    })) {
      test(`such a child ends when ${way}`, async () => {
        await using other = await start();
        await other.install(plugin('spy'));
        const mark = marked();
        await inside('spy', escapee(mark), other);
        await eventually('it runs', () => running(mark).length === 1 || undefined);
        await end(other);
        await eventually('it ends', () => running(mark).length === 0 || undefined);
      });
    }

    test('an uninstalled version gives up its user and its temporary files', async () => {
      const identifier = await daemon.install(plugin('passing'));
      const users = join(daemon.process.dataDirectory, 'plugin-users.json');
      const [installed] = (await daemon.client().list()).filter((one) => one.plugin_unique_identifier === identifier);
      const ownUser = situation.mode.startsWith('uid');
      if (ownUser) {
        expect(JSON.parse(readFileSync(users, 'utf8')).users).toHaveProperty(identifier);
        expect(statSync(join(daemon.process.dataDirectory, 'cwd', identifier.replace(':', '-'))).mode & 0o7777).toBe(
          0o1770,
        );
      }
      const scratches = () => {
        const all = join(daemon.process.dataDirectory, 'scratch');
        return readdirSync(all).flatMap((life) => readdirSync(join(all, life))).length;
      };
      const before = scratches();
      await daemon.client().uninstall(installed?.id ?? '');
      await eventually('its files are gone', () => scratches() < before || !situation.isolated || undefined);
      if (!ownUser) return;
      await eventually(
        'its user is free',
        () => !(identifier in JSON.parse(readFileSync(users, 'utf8')).users) || undefined,
      );
      expect(statSync(join(daemon.process.dataDirectory, 'cwd', identifier.replace(':', '-'))).mode & 0o7777).toBe(
        0o700,
      );
    });
  });
}

/** An argument of `sleep` that nobody else uses. */
const marked = (): string => `98765.${process.pid}${Math.floor(Math.random() * 1e9)}`;

function running(mark: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      accessSync(`/proc/${pid}`, constants.F_OK);
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(mark);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
}
