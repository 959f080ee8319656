import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { DirectLauncher } from './direct-launcher.ts';
import { createProcessLauncher, explainPid1, type PluginProcess, type ProcessLauncher } from './index.ts';
import { parseUsage } from './process-usage.ts';

const env = { PATH: process.env.PATH ?? '', ONLY: 'this' };
let launcher: ProcessLauncher;
afterEach(() => launcher?.close());

const implementations: Record<string, () => ProcessLauncher> = {
  direct: () => new DirectLauncher(),
  helper: () => createProcessLauncher({ onFallback: (reason) => expect.fail(String(reason)) }),
};

const sh = (script: string) => ({ command: '/bin/sh', args: ['-c', script], cwd: '/tmp', env });

async function text(plugin: PluginProcess): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of plugin.stdout) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Gone, or a zombie whose parent has not looked yet. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

for (const [name, create] of Object.entries(implementations)) {
  test(`${name}: environment and working directory are exactly those of the spec`, async () => {
    launcher = create();
    const plugin = await launcher.launch({ command: '/usr/bin/env', args: [], cwd: '/tmp', env });
    expect((await text(plugin)).trim().split('\n').sort()).toEqual([`ONLY=this`, `PATH=${env.PATH}`]);
    expect(await (await launcher.launch(sh('pwd'))).exited).toEqual({ code: 0, signal: null });
    expect(await text(await launcher.launch(sh('pwd')))).toBe('/tmp\n');
  });

  test(`${name}: megabytes of binary data pass unchanged both ways`, async () => {
    launcher = create();
    const plugin = await launcher.launch({ command: '/bin/cat', args: [], cwd: '/tmp', env });
    const sent = Buffer.alloc(
      8 << 20,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    const received: Buffer[] = [];
    let size = 0;
    const all = new Promise<void>((resolve) => {
      plugin.stdout.on('data', (chunk: Buffer) => {
        received.push(chunk);
        size += chunk.length;
        if (size >= sent.length) resolve();
      });
    });
    plugin.stdin.write(sent);
    await all;
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    plugin.stdin.end();
    expect(await plugin.exited).toEqual({ code: 0, signal: null });
  });

  test(`${name}: exit code, signal and stderr are reported`, async () => {
    launcher = create();
    const failing = await launcher.launch(sh('echo oops >&2; exit 7'));
    const stderr: Buffer[] = [];
    for await (const chunk of failing.stderr) stderr.push(chunk);
    expect(Buffer.concat(stderr).toString()).toBe('oops\n');
    expect(await failing.exited).toEqual({ code: 7, signal: null });
    expect(failing.kill('SIGKILL')).toBe(false);
    expect(await failing.usage()).toBeUndefined();

    const killed = await launcher.launch(sh('sleep 100'));
    expect(killed.kill('SIGTERM')).toBe(true);
    expect(await killed.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test(`${name}: a command that does not exist, is not executable or has no directory is refused`, async () => {
    launcher = create();
    await expect(launcher.launch({ ...sh(''), command: '/nonexistent/python' })).rejects.toThrow(/ENOENT|No such file/);
    await expect(launcher.launch({ ...sh(''), command: '/etc/passwd' })).rejects.toThrow(/EACCES|Permission denied/);
    await expect(launcher.launch({ ...sh('true'), cwd: '/nonexistent' })).rejects.toThrow(/ENOENT|No such file/);
  });

  test(`${name}: killing takes grandchildren along, and so does the leader's own exit`, async () => {
    launcher = create();
    for (const script of ['sleep 100 & echo $!; wait', 'sleep 100 & echo $!; exit 3']) {
      const plugin = await launcher.launch(sh(script));
      const [line] = (await once(plugin.stdout, 'data')) as [Buffer];
      const grandchild = Number(line.toString());
      expect(grandchild).toBeGreaterThan(1);
      if (script.includes('wait')) {
        expect(isRunning(grandchild)).toBe(true);
        plugin.kill('SIGKILL');
      }
      await plugin.exited;
      await expect.poll(() => isRunning(grandchild)).toBe(false);
    }
  });

  test(`${name}: writing to a dead plugin fails in the callback and hurts nobody`, async () => {
    launcher = create();
    const plugin = await launcher.launch(sh('exit 0'));
    await plugin.exited;
    const error = await new Promise((resolve) => plugin.stdin.write(Buffer.alloc(1 << 20), resolve));
    expect(error).toBeInstanceOf(Error);
  });

  test.skipIf(process.platform !== 'linux')(`${name}: usage counts the descendants`, async () => {
    launcher = create();
    const plugin = await launcher.launch(sh('sh -c "while :; do :; done" & wait'));
    await expect.poll(async () => (await plugin.usage())?.cpuSeconds ?? 0, { timeout: 60_000 }).toBeGreaterThan(0.05);
    expect((await plugin.usage())?.rssBytes).toBeGreaterThan(100_000);
    plugin.kill('SIGKILL');
    await plugin.exited;
  });

  test(`${name}: close ends everything and refuses more`, async () => {
    launcher = create();
    const plugins = await Promise.all([launcher.launch(sh('sleep 100')), launcher.launch(sh('sleep 100'))]);
    await launcher.close();
    for (const plugin of plugins) expect(await plugin.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(launcher.launch(sh('true'))).rejects.toThrow('closed');
  });
}

test('usage is read from proc even when the command name is hostile', () => {
  const stat = `12 (a) R (b) S 1 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 10 18446744073709551615`;
  expect(parseUsage(stat, 'Name:\tx\nVmRSS:\t    2048 kB\n')).toEqual({ cpuSeconds: 3, rssBytes: 2 << 20 });
});

test('PID 1 is fatal for plugins started directly, harmless behind the launcher process, and nothing otherwise', () => {
  expect(explainPid1({ pid: 77, launchesDirectly: true })).toBeUndefined();
  expect(explainPid1({ pid: 1, launchesDirectly: false })?.severity).toBe('harmless');
  const fatal = explainPid1({ pid: 1, launchesDirectly: true });
  expect(fatal?.severity).toBe('fatal');
  expect(fatal?.remedy).toContain('--init');
});
