import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
const LOWEST = 10_000;
/** Where systems that do not say begin to choose: Linux by default. */
const USUAL_FIRST_CHOSEN = 32_768;
const FEWEST = 1000;
const ATTEMPTS = 1000;

/** What holds the ports of this process. Sockets that are not kept are closed when they are collected. */
const held: Socket[] = [];

export interface PortOptions {
  /** The port this far above it is held as well. */
  readonly and?: number;
}

/**
 * A port of the loopback for a server that has to be told one, which is this process's until it ends: also between two starts of
 * the server. Nobody else gets it: it lies below those that the system chooses, for servers on port 0 and for outgoing
 * connections, and who asks here holds its number as a port of UDP, which only one process of the machine can have.
 */
export async function reservePort({ and }: PortOptions = {}): Promise<number> {
  const end = firstChosen();
  const below = end - (and ?? 0) >= LOWEST + FEWEST ? end - (and ?? 0) : end;
  const from = below >= LOWEST + FEWEST ? LOWEST : 1024;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(from, below);
    if (await holdPorts(and === undefined ? [port] : [port, port + and])) return port;
  }
  throw new Error(`no free port was found from ${from} to ${below - 1}`);
}

/** False when one of them is somebody else's. */
export async function holdPorts(ports: readonly number[]): Promise<boolean> {
  const sockets: Socket[] = [];
  for (const port of ports) {
    const socket = await bound(port);
    if (socket !== undefined) sockets.push(socket);
    if (socket === undefined || !(await isFree(port))) {
      for (const one of sockets) one.close();
      return false;
    }
  }
  held.push(...sockets);
  return true;
}

/** Undefined when somebody has it. */
async function bound(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: HOST, exclusive: true });
    await once(socket, 'listening');
    return socket.unref();
  } catch {
    socket.close();
    return undefined;
  }
}

/** Whether a server that began before, with a port it was given by somebody else, listens there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: HOST, exclusive: true });
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** The first port that the system may choose by itself. */
function firstChosen(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return first > 2 * FEWEST ? first : USUAL_FIRST_CHOSEN;
  } catch {
    return USUAL_FIRST_CHOSEN;
  }
}
