import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { holdPorts, reservePort } from './ports.ts';

const MODULE = fileURLToPath(new URL('./ports.ts', import.meta.url));

/** What another process is told when it asks for a port. */
async function askedElsewhere(port: number): Promise<string> {
  const program = `import { holdPorts } from ${JSON.stringify(MODULE)}; console.log(await holdPorts([${port}]));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await once(child, 'close');
  return said.trim();
}

test('a port is kept for who asked, before, between and after its servers, and given back with the process', async () => {
  const port = await reservePort();
  expect(await holdPorts([port])).toBe(false);
  expect(await askedElsewhere(port)).toBe('false');
  for (let start = 0; start < 2; start++) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    expect(await askedElsewhere(port)).toBe('false');
  }
});

test('a process that ends leaves its ports to others', async () => {
  const first = await reservePort();
  // Those above may be somebody's, or become it: the next one that nobody has.
  for (let port = first + 1; port < first + 20; port += 1)
    if ((await askedElsewhere(port)) === 'true' && (await holdPorts([port]))) return;
  expect.unreachable('every port that another process gave back is held');
});

test('ports are not among those that the system chooses, and come with those above them', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => reservePort({ and: 10_000 })));
  const all = ports.flatMap((port) => [port, port + 10_000]);
  expect(new Set(all).size).toBe(100);
  const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  if (first >= 21_000) for (const port of all) expect(port).toBeLessThan(first);
  for (const port of all) expect(await holdPorts([port])).toBe(false);
});

test('a port on which somebody else listens is not taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  expect(await holdPorts([address.port])).toBe(false);
  server.close();
});
