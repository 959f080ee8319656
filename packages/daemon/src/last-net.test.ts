/** In a process of its own: an error that escapes would end the one of the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const NET = fileURLToPath(new URL('./last-net.ts', import.meta.url));

/** Runs `body` with the net spread; it ends by itself, or when the net ends it. */
async function run(body: string): Promise<{ code: number; lines: readonly string[]; stderr: string }> {
  const script = `
    import { createServer, connect } from 'node:net';
    import { spreadLastNet } from ${JSON.stringify(NET)};
    const say = (text) => process.stdout.write(text + '\\n');
    spreadLastNet({
      log: { error: ({ error, origin }, message) => say(origin + ': ' + error.message + ': ' + message) },
      onEscape: (origin) => say('counted ' + origin),
      stop: async () => say('stopped'),
      exit: (code) => { say('exit'); process.exit(code); },
    });
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code]: number[] = await once(child, 'close');
  return { code: code ?? -1, lines: stdout.trim().split('\n'), stderr };
}

test('what escapes from a timer, a socket, a promise or as no error at all is told, and the process lives on', async () => {
  const { code, lines } = await run(`
    const server = createServer((socket) => socket.on('data', (bytes) => {
      if (bytes.toString() === 'end') { say('still here'); server.close(); socket.destroy(); }
      else throw new TypeError('in a socket');
    })).listen(0, '127.0.0.1', () => {
      const client = connect(server.address().port, '127.0.0.1');
      client.write('bad');
      setTimeout(() => { throw new Error('in a timer', { cause: 1 }); }, 20);
      setTimeout(() => { void Promise.reject(new Error('in a promise')); }, 40);
      setTimeout(() => { throw { toString: 1 }; }, 60);
      setTimeout(() => client.write('end'), 300);
    });`);
  expect(code).toBe(0);
  const text = lines.join('\n');
  for (const told of [
    'exception: in a socket',
    'exception: in a timer',
    'rejection: in a promise',
    'no error was thrown: object',
  ])
    expect(text).toContain(told);
  expect(lines.filter((line) => line.startsWith('counted'))).toHaveLength(4);
  expect(lines.at(-1)).toBe('still here');
});

test('when errors keep escaping the daemon stops, says so and leaves with a code', async () => {
  const { code, lines, stderr } = await run(`setInterval(() => { throw new Error('again'); }, 1);`);
  expect(code).toBe(70);
  expect(lines.filter((line) => line.startsWith('counted'))).toHaveLength(21);
  expect(lines.slice(-2)).toEqual(['stopped', 'exit']);
  expect(stderr).toMatch(/^The plugin daemon stops: more than 20 errors escaped within 60 s .*again/);
});

test('a runtime that reports itself broken is not gone on with', async () => {
  const { code, stderr } = await run(
    `setTimeout(() => { throw Object.assign(new Error('no'), { code: 'ERR_INTERNAL_ASSERTION' }); }, 1); setInterval(() => {}, 1000);`,
  );
  expect(code).toBe(70);
  expect(stderr).toContain('its runtime reports that it is broken (ERR_INTERNAL_ASSERTION)');
});
