/** Machines for tests: network namespaces of their own behind one bridge, as root. What is cut off there is silent, as a lost cable is. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Why there can be no such network here; undefined if there can. */
export function networkMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  const found = (name: string) =>
    ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((path) => existsSync(`${path}/${name}`));
  if (!found('ip') || !found('iptables')) return 'needs ip and iptables (apt install iproute2 iptables)';
  const name = `t${randomBytes(3).toString('hex')}`;
  try {
    run('ip', 'netns', 'add', name);
    run('ip', 'netns', 'del', name);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made: ${String(error)}`;
  }
}

/** One machine of the network. */
export interface Machine {
  readonly address: string;
  /** Before a command, to run it there; becomes that command. */
  readonly through: readonly string[];
  /** What comes from an address, or from one of its ports, is lost; replies included. */
  cut(address: string, port?: number): void;
  /** Nothing is lost any more. */
  mend(): void;
}

export class TestNetwork implements Disposable {
  /** Of the machine that the test runs on. */
  readonly address: string;
  readonly #id = randomBytes(3).toString('hex');
  readonly #net = `10.${200 + Math.floor(Math.random() * 50)}.${Math.floor(Math.random() * 250)}`;
  readonly #bridge = `br${this.#id}`;
  readonly #spaces: string[] = [];
  readonly #relays: Server[] = [];

  constructor() {
    this.address = `${this.#net}.1`;
    run('ip', 'link', 'add', this.#bridge, 'type', 'bridge');
    run('ip', 'address', 'add', `${this.address}/24`, 'dev', this.#bridge);
    run('ip', 'link', 'set', this.#bridge, 'up');
  }

  add(): Machine {
    const index = this.#spaces.length + 2;
    const space = `ns${this.#id}${index}`;
    const [outside, inside] = [`o${this.#id}${index}`, `i${this.#id}${index}`];
    const address = `${this.#net}.${index}`;
    run('ip', 'netns', 'add', space);
    this.#spaces.push(space);
    run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside);
    run('ip', 'link', 'set', outside, 'master', this.#bridge, 'up');
    run('ip', 'link', 'set', inside, 'netns', space);
    const there = (...args: readonly string[]) => run('ip', 'netns', 'exec', space, ...args);
    there('ip', 'address', 'add', `${address}/24`, 'dev', inside);
    there('ip', 'link', 'set', inside, 'up');
    there('ip', 'link', 'set', 'lo', 'up');
    return {
      address,
      through: ['ip', 'netns', 'exec', space],
      cut: (from, port) => {
        const ports = port === undefined ? [] : ['-p', 'tcp', '--sport', String(port)];
        there('iptables', '-w', '-A', 'INPUT', '-s', from, ...ports, '-j', 'DROP');
      },
      mend: () => there('iptables', '-w', '-F'),
    };
  }

  /** Makes a server of this machine's loopback reachable from the others, under the same port. */
  async share(port: number): Promise<void> {
    const relay = createServer((socket) => {
      const there = connect(port, '127.0.0.1');
      socket.pipe(there).pipe(socket);
      for (const [one, other] of [
        [socket, there],
        [there, socket],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    this.#relays.push(relay);
    await new Promise<void>((resolve, reject) => relay.once('error', reject).listen(port, this.address, resolve));
  }

  [Symbol.dispose](): void {
    for (const relay of this.#relays) relay.close();
    // The ends of the pairs go with their namespaces.
    for (const space of this.#spaces) run('ip', 'netns', 'del', space);
    run('ip', 'link', 'del', this.#bridge);
  }
}
