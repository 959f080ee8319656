/** A plugin on its author's machine, as far as a round needs one: it registers, is listed, and leaves. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AUTHOR } from '../plugin/package.ts';

const NAME = 'debugged';
export const DEBUGGED = `${AUTHOR}/${NAME}`;
const label = { en_US: NAME };

const manifest = {
  version: '0.0.1',
  type: 'plugin',
  author: AUTHOR,
  name: NAME,
  description: label,
  icon: 'icon.svg',
  label,
  created_at: '2026-01-01T00:00:00Z',
  resource: { memory: 1_048_576, permission: { tool: { enabled: true } } },
  plugins: { tools: ['provider/main.yaml'] },
  meta: { version: '0.0.1', arch: ['amd64'], runner: { language: 'python', version: '3.12', entrypoint: 'main' } },
};

const provider = {
  identity: { author: AUTHOR, name: NAME, description: label, icon: 'icon.svg', label, tags: [] },
  credentials_schema: [],
  tools: [
    {
      identity: { author: AUTHOR, name: 'echo', label },
      description: { human: label, llm: 'echoes' },
      parameters: [],
    },
  ],
};

export class DebuggedPlugin {
  readonly #socket: Socket;

  static async register(port: number, key: string): Promise<DebuggedPlugin> {
    const socket = connect(port, '127.0.0.1');
    // It is ended by either side; whoever waits for it to be listed learns of it.
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    const lines = [
      ['handshake', { key }],
      ['manifest_declaration', manifest],
      ['tool_declaration', [provider]],
      ['asset_chunk', { filename: 'icon.svg', data: Buffer.from('<svg/>').toString('base64'), end: true }],
      ['end', {}],
    ] as const;
    for (const [type, data] of lines) socket.write(`${JSON.stringify({ type, data })}\n\n`);
    return new DebuggedPlugin(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  leave(): void {
    this.#socket.destroy();
  }
}
