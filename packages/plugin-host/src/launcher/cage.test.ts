/** What the helper makes of a cage, with real processes. What isolates is tested on a whole daemon. */
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { type Cage, createProcessLauncher, type PluginProcess, type ProcessLauncher } from './index.ts';

const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
let launcher: ProcessLauncher | undefined;
afterEach(() => launcher?.close());

const sh = (script: string, cage: Cage = {}) => ({ command: '/bin/sh', args: ['-c', script], cwd: '/tmp', env, cage });
const onLinux = test.skipIf(process.platform !== 'linux');

async function text(plugin: PluginProcess): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of plugin.stdout) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** Prints the number of a process whose parent has ended and whose session is its own. */
const ESCAPE = "setsid sh -c 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $!' ";

onLinux('exit code, signal, environment and descriptors are those of an ordinary start', async () => {
  launcher = createProcessLauncher();
  const seen = await launcher.launch(sh('cd /proc/self/fd && echo * "$PATH" && exit 7'));
  // Number 3 is the directory that the shell reads.
  expect(await text(seen)).toMatch(new RegExp(`^0 1 2( 3)? ${env.PATH}\n$`));
  expect(await seen.exited).toEqual({ code: 7, signal: null });
  const killed = await launcher.launch(sh('sleep 100'));
  killed.kill('SIGTERM');
  expect(await killed.exited).toEqual({ code: null, signal: 'SIGTERM' });
});

onLinux('what cannot be started is refused with the reason of the system', async () => {
  launcher = createProcessLauncher();
  await expect(launcher.launch({ ...sh(''), command: '/nonexistent' })).rejects.toThrow(/ENOENT.*No such file/);
  await expect(launcher.launch({ ...sh(''), command: '/etc/passwd' })).rejects.toThrow(/EACCES/);
  await expect(launcher.launch({ ...sh(''), cwd: '/nonexistent' })).rejects.toThrow(/ENOENT/);
  await expect(launcher.launch(sh('', { groups: ['/nonexistent'] }))).rejects.toThrow(/ENOENT/);
  expect(await (await launcher.launch(sh('exit 3'))).exited).toEqual({ code: 3, signal: null });
});

onLinux('limits and umask are set, and hold for what is started', async () => {
  launcher = createProcessLauncher();
  const cage: Cage = { limits: { CORE: 0, NOFILE: 77, FSIZE: 512 * 1024 }, umask: 0o077, nice: 3 };
  const seen = await launcher.launch(sh('ulimit -c; ulimit -n; ulimit -f; umask; nice', cage));
  expect(await text(seen)).toBe(`0\n77\n1024\n0077\n${getPriority() + 3}\n`);
});

onLinux('a process that left its session and its parent ends with the one that started it', async () => {
  launcher = createProcessLauncher();
  for (const end of ['exit 0', 'kill -9 $$']) {
    const plugin = await launcher.launch(sh(`${ESCAPE}; ${end}`));
    const escaped = Number(await text(plugin));
    expect(escaped).toBeGreaterThan(1);
    await plugin.exited;
    expect(isRunning(escaped)).toBe(false);
  }
});

onLinux('usage counts it, too', async () => {
  launcher = createProcessLauncher();
  const burn = 'setsid sh -c \'sh -c "while :; do :; done" >/dev/null 2>&1 </dev/null &\'';
  const plugin = await launcher.launch(sh(`${burn}; sleep 100`));
  await expect.poll(async () => (await plugin.usage())?.cpuSeconds ?? 0, { timeout: 60_000 }).toBeGreaterThan(0.2);
  plugin.kill('SIGKILL');
  await plugin.exited;
});

onLinux('closing the launcher and killing its helper both end everything', async () => {
  for (const end of [
    (one: ProcessLauncher) => one.close(),
    async (_: ProcessLauncher, pid: number) => void process.kill(parentOf(parentOf(pid)), 'SIGKILL'),
  ]) {
    launcher = createProcessLauncher();
    const plugin = await launcher.launch(sh(`${ESCAPE}; sleep 1000`));
    const escaped = Number(await new Promise<Buffer>((resolve) => plugin.stdout.once('data', resolve)));
    expect(isRunning(escaped)).toBe(true);
    await end(launcher, plugin.pid);
    expect(await plugin.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect.poll(() => [plugin.pid, escaped].some(isRunning), { timeout: 60_000 }).toBe(false);
    await launcher.close();
  }
});

onLinux('many at once keep their pipes and exits apart', async () => {
  const started = createProcessLauncher();
  launcher = started;
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const plugin = await started.launch(sh(`read line; echo "$line ${i}"; exit ${i}`));
      plugin.stdin.end(`input ${i}\n`);
      return [await text(plugin), (await plugin.exited).code];
    }),
  );
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => [`input ${i} ${i}\n`, i]));
});

test('without the helper nothing is started in a cage', async () => {
  const { HelperLauncher } = await import('./helper-launcher.ts');
  const { DirectLauncher } = await import('./direct-launcher.ts');
  launcher = new HelperLauncher({
    pythons: ['/nonexistent/python'],
    searchPath: '/usr/bin',
    fallback: new DirectLauncher(),
    onFallback: () => undefined,
  });
  await expect(launcher.launch(sh('true'))).rejects.toThrow('PYTHON_INTERPRETER_PATH');
});
