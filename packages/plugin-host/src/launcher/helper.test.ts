import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { createProcessLauncher, type ProcessLauncher } from './index.ts';

/** What only the launcher with a helper process promises; the rest is in launcher.test.ts, run over both. */

const env = { PATH: process.env.PATH ?? '' };
const sh = (script: string) => ({ command: '/bin/sh', args: ['-c', script], cwd: '/tmp', env });
let launcher: ProcessLauncher | undefined;
afterEach(() => launcher?.close());

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

test.skipIf(process.platform !== 'linux')('plugins and their children die with a daemon that is killed', async () => {
  const script = `
    import { createProcessLauncher } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const launcher = createProcessLauncher();
    const plugin = await launcher.launch(${JSON.stringify(sh('sleep 1000 & echo $$ $!; wait'))});
    plugin.stdout.on('data', (data) => process.stdout.write(data));
    setInterval(() => {}, 1000);`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string];
  const pids = line.split(' ').map(Number);
  expect(pids.map(isRunning)).toEqual([true, true]);
  const helper = parentOf(pids[0] ?? 0);
  expect(helper).not.toBe(daemon.pid);
  daemon.kill('SIGKILL');
  await expect.poll(() => [...pids, helper].map(isRunning), { timeout: 60_000 }).toEqual([false, false, false]);
});

test.skipIf(process.platform !== 'linux')(
  'a helper that is killed costs its plugins, and the next launch makes a new one',
  async () => {
    launcher = createProcessLauncher();
    const plugin = await launcher.launch(sh('sleep 1000 & wait'));
    const helper = parentOf(plugin.pid);
    process.kill(helper, 'SIGKILL');
    expect(await plugin.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect.poll(() => isRunning(plugin.pid)).toBe(false);
    const next = await launcher.launch(sh('exit 4'));
    expect(await next.exited).toEqual({ code: 4, signal: null });
  },
);

test.skipIf(process.platform !== 'linux')('a helper that was stopped goes on when it is needed', async () => {
  launcher = createProcessLauncher();
  const plugin = await launcher.launch(sh('sleep 1000 & wait'));
  process.kill(parentOf(plugin.pid), 'SIGSTOP');
  const next = await launcher.launch(sh('exit 4'));
  expect(await next.exited).toEqual({ code: 4, signal: null });
  process.kill(parentOf(plugin.pid), 'SIGSTOP');
  await launcher.close();
  expect(await plugin.exited).toMatchObject({ signal: 'SIGKILL' });
});

/** Processes of this one. */
const children = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return parentOf(pid) === process.pid;
      } catch {
        return false; // it has ended meanwhile
      }
    });

test.skipIf(process.platform !== 'linux')(
  'a helper that was prepared is there before this turn ends, and is the one that launches',
  async () => {
    const before = children();
    launcher = createProcessLauncher();
    launcher.prepare?.();
    launcher.prepare?.();
    const made = children().filter((pid) => !before.includes(pid));
    expect(made).toHaveLength(1);
    const plugin = await launcher.launch(sh('sleep 1000'));
    expect(parentOf(plugin.pid)).toBe(made[0]);
  },
);

test('one that was prepared and never needed is gone with its launcher', async () => {
  const unused = createProcessLauncher();
  unused.prepare?.();
  await unused.close();
  await expect(unused.launch(sh('true'))).rejects.toThrow('the process launcher is closed');
});

test.skipIf(process.platform === 'win32')(
  'without descriptors for its pipes there is no helper, and that is all',
  () => {
    const script = `
    import { openSync } from 'node:fs';
    import { HelperProcess } from ${JSON.stringify(new URL('./helper-process.ts', import.meta.url).href)};
    const said = [];
    process.on('uncaughtException', ({ message }) => said.push('nobody expected: ' + message));
    process.on('exit', () => console.log(JSON.stringify(said)));
    try {
      for (;;) openSync('/dev/null');
    } catch ({ code }) {
      said.push(code);
    }
    await HelperProcess.open({ command: 'sh', args: ['-c', 'exit 1'], env: {} }).catch(({ message }) => said.push(message));`;
    const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"';
    const output = execFileSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual(['EMFILE', 'spawn sh EMFILE']);
  },
);

test.skipIf(process.platform !== 'linux')('a shortage passes: the next launch makes the helper', () => {
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import { createProcessLauncher } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const said = [];
    const launcher = createProcessLauncher({ onFallback: () => said.push('fallback') });
    const spec = { ...${JSON.stringify(sh('exit 4'))}, cage: {} };
    const taken = [];
    try {
      for (;;) taken.push(openSync('/dev/null'));
    } catch {}
    launcher.prepare();
    await launcher.launch(spec).catch(({ message }) => said.push(message));
    taken.forEach((one) => closeSync(one));
    const { exited } = await launcher.launch(spec);
    said.push((await exited).code);
    await launcher.close();
    console.log(JSON.stringify(said));`;
  const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"';
  const output = execFileSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });
  const problem = expect.stringMatching(/^the process that starts plugins could not be made: .*EMFILE/);
  expect(JSON.parse(output)).toEqual([problem, 4]);
});

test('many launches at once keep their pipes and exits apart', async () => {
  const started = createProcessLauncher();
  launcher = started;
  const results = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const plugin = await started.launch(sh(`read line; echo "$line ${i}"; echo "error ${i}" >&2; exit ${i}`));
      plugin.stdin.end(`input ${i}\n`);
      const read = async (stream: NodeJS.ReadableStream) => {
        let text = '';
        for await (const chunk of stream) text += chunk;
        return text;
      };
      const [stdout, stderr, exit] = await Promise.all([read(plugin.stdout), read(plugin.stderr), plugin.exited]);
      return { stdout, stderr, code: exit.code };
    }),
  );
  expect(results).toEqual(
    Array.from({ length: 40 }, (_, i) => ({ stdout: `input ${i} ${i}\n`, stderr: `error ${i}\n`, code: i })),
  );
});

test.each([false, true])(
  'without a working interpreter plugins are started directly, and that is said once; prepared: %s',
  async (prepared) => {
    const { HelperLauncher } = await import('./helper-launcher.ts');
    const { DirectLauncher } = await import('./direct-launcher.ts');
    const reasons: unknown[] = [];
    launcher = new HelperLauncher({
      pythons: ['/nonexistent/python', '/bin/false'],
      searchPath: '/usr/bin',
      fallback: new DirectLauncher(),
      onFallback: (reason) => reasons.push(reason),
    });
    if (prepared) launcher.prepare?.();
    const exits = [await launcher.launch(sh('exit 1')), await launcher.launch(sh('exit 2'))].map((one) => one.exited);
    expect((await Promise.all(exits)).map((exit) => exit.code)).toEqual([1, 2]);
    expect(reasons).toHaveLength(1);
    expect(String(reasons[0])).toContain('ended at its start');
  },
);

test.skipIf(process.platform !== 'linux')(
  'plugins inherit neither ignored signals nor open files of the helper',
  async () => {
    launcher = createProcessLauncher();
    // Number 3 is the directory that ls reads; what the test's own surroundings have left open is above 20.
    const plugin = await launcher.launch(sh('grep SigIgn /proc/self/status; ls /proc/self/fd'));
    let text = '';
    for await (const chunk of plugin.stdout) text += chunk;
    const [ignored = '', ...files] = text.trim().split('\n');
    // The C library ignores two signals of its own (32 and 33) between fork and exec.
    expect(BigInt(`0x${ignored.split('\t')[1]}`) & 0x7fffffffn).toBe(0n);
    expect(files.map(Number).filter((file) => file < 20)).toEqual([0, 1, 2, 3]);
  },
);

test.skipIf(process.platform !== 'linux')('plugins have no descriptors but their three pipes', async () => {
  const script = `
    import { createProcessLauncher } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const launcher = createProcessLauncher();
    const plugin = await launcher.launch(${JSON.stringify(sh('cd /proc/self/fd && echo *'))});
    plugin.stdout.on('data', (data) => process.stdout.write(data));
    await plugin.exited;
    await launcher.close();`;
  // A daemon that was started with a further descriptor, as shells and supervisors do.
  const daemon = spawn(
    '/bin/sh',
    ['-c', 'exec 9</dev/null; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(createInterface(daemon.stdout), 'line');
  expect(
    String(line)
      .split(' ')
      .map(Number)
      .filter((fd) => fd < 3 || fd === 9),
  ).toEqual([0, 1, 2]);
});

const reader = 'read line; echo "got $line"; exec sleep 1000';

test.skipIf(process.platform !== 'linux').each([
  ['plain', {}],
  ['caged', { cage: {} }],
])(
  'what a process that has ended did not read is counted to the byte, whenever it was written (%s)',
  async (_what, how) => {
    const started = createProcessLauncher();
    launcher = started;
    const plugin = await started.launch({ ...sh(reader), ...how });
    plugin.stdin.write('one\n');
    await once(plugin.stdout, 'data');
    plugin.stdin.write('two\nthr');
    plugin.kill('SIGKILL');
    plugin.stdin.write('ee\n');
    await plugin.exited;
    expect(await plugin.unread).toBe('two\nthree\n'.length);
    const full = await started.launch({ ...sh('exec sleep 1000'), ...how });
    // More than any pipe holds: the rest waits in this process.
    full.stdin.write(Buffer.alloc(5_000_000));
    full.kill('SIGKILL');
    expect(await full.unread).toBe(5_000_000);
    const greedy = await started.launch({ ...sh('cat >/dev/null & read line; wait'), ...how });
    greedy.stdin.write('x\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    greedy.kill('SIGKILL');
    expect(await greedy.unread).toBe(0);
  },
);

test.skipIf(process.platform !== 'linux')('nobody can tell what was not read when the helper is gone', async () => {
  launcher = createProcessLauncher();
  const plugin = await launcher.launch(sh('sleep 1000'));
  plugin.stdin.write('one\n');
  process.kill(parentOf(plugin.pid), 'SIGKILL');
  await plugin.exited;
  expect(await plugin.unread).toBeUndefined();
});
