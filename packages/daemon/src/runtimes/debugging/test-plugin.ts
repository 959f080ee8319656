/** A debugging plugin made of lines, for the tests of this folder. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const label = { en_US: 'Tool' };

export const manifest = (over: object = {}): object => ({
  version: '0.0.1',
  type: 'plugin',
  author: 'acme',
  name: 'search',
  description: label,
  icon: 'icon.svg',
  icon_dark: null,
  label,
  created_at: '2026-01-01T00:00:00Z',
  verified: true,
  resource: { memory: 1048576, permission: { tool: { enabled: true } } },
  plugins: {
    tools: ['provider/main.yaml'],
    models: [],
    endpoints: [],
    agent_strategies: [],
    datasources: [],
    triggers: [],
  },
  meta: {
    version: '0.0.1',
    arch: ['amd64'],
    runner: { language: 'python', version: '3.12', entrypoint: 'main' },
    minimum_dify_version: null,
  },
  ...over,
});

export const toolProvider = (over: object = {}): object => ({
  identity: {
    author: 'acme',
    name: 'search',
    description: label,
    icon: 'icon.svg',
    label,
    tags: ['utilities'],
    ...over,
  },
  credentials_schema: [],
  tools: [
    {
      identity: { author: 'acme', name: 'echo', label },
      description: { human: label, llm: 'echoes' },
      parameters: [],
      has_runtime_parameters: false,
    },
  ],
});

export const icon = { filename: 'icon.svg', data: Buffer.from('<svg/>').toString('base64'), end: true };

/** The registration after the handshake, as the SDK sends it. */
export const registration = (
  parts: { manifest?: object; tools?: unknown } = {},
): readonly (readonly [string, unknown])[] => [
  ['manifest_declaration', manifest(parts.manifest)],
  ['tool_declaration', parts.tools ?? [toolProvider()]],
  ['asset_chunk', icon],
  ['end', {}],
];

export const line = (type: string, data: unknown): string => `${JSON.stringify({ type, data })}\n\n`;

/** The other end of a debugging connection. */
export class TestPlugin {
  readonly socket: Socket;
  readonly closed: Promise<string>;
  #received = '';
  #arrived = Promise.withResolvers<void>();

  static async connect(port: number): Promise<TestPlugin> {
    const socket = connect(port, '127.0.0.1');
    const plugin = new TestPlugin(socket);
    await once(socket, 'connect');
    return plugin;
  }

  /** Connects, shakes hands and registers. */
  static async register(port: number, key: string, parts?: Parameters<typeof registration>[0]): Promise<TestPlugin> {
    const plugin = await TestPlugin.connect(port);
    plugin.send(line('handshake', { key }), ...registration(parts).map(([type, data]) => line(type, data)));
    return plugin;
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString();
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve(this.#received)));
  }

  send(...texts: readonly string[]): void {
    for (const text of texts) this.socket.write(text);
  }

  /** One line of what a running plugin says. */
  say(event: object): void {
    this.socket.write(`${JSON.stringify(event)}\n\n`);
  }

  /** The next line from the daemon, parsed. */
  async hear(): Promise<{ readonly [key: string]: unknown }> {
    for (;;) {
      const end = this.#received.indexOf('\n');
      if (end >= 0) {
        const text = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 1);
        return JSON.parse(text);
      }
      await this.#arrived.promise;
    }
  }

  leave(): void {
    this.socket.destroy();
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
