/** A connector whose functions answer at once, all at one address: what is measured is the way to them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type FakeServer, jsonObject, sendJson, startServer } from './server.ts';

export interface FakeFunctions extends FakeServer {
  /** `http://…/fn`: every package's function. */
  readonly functionUrl: string;
}

const tool = (text: string): object => ({ type: 'text', message: { text }, meta: null });

/** Tools: `echo` with `text`, `stream` with `count` and `size`. */
export async function startFakeFunctions(): Promise<FakeFunctions> {
  const server = await startServer((request, response, body) => {
    const path = request.url ?? '';
    if (path === '/ping') return sendJson(response, 200, 'pong');
    if (path.startsWith('/v1/runner/instances'))
      return sendJson(response, 200, { error: '', Items: [{ ID: '1', Name: 'fn', Endpoint: `${server.url}/fn` }] });
    if (!path.startsWith('/fn/invoke')) return sendJson(response, 404, {});
    const { session_id, data } = jsonObject(body);
    const { tool: name, tool_parameters: given } = Object.assign({ tool: '', tool_parameters: {} }, data);
    const { text = '', count = 1, size = 1 } = Object.assign({ text: '', count: 1, size: 1 }, given);
    const line = (type: string, value: object): string =>
      `${JSON.stringify({ event: 'session', session_id, data: { type, data: value } })}\n\n`;
    const one = line('stream', tool(name === 'stream' ? 'x'.repeat(size) : text));
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    for (let n = 0; n < (name === 'stream' ? count : 1); n++) response.write(one);
    response.end(line('end', {}));
  });
  return { ...server, functionUrl: `${server.url}/fn` };
}

/** The same in a process of its own: who measures must not wait for what is measured. */
export async function spawnFakeFunctions(): Promise<FakeFunctions> {
  const program = fileURLToPath(new URL('./functions-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const [line]: unknown[] = await Promise.race([
    once(child.stdout, 'data'),
    gone.then(() => Promise.reject(new Error('the fake functions did not start'))),
  ]);
  const url = String(line).trim();
  const close = async (): Promise<void> => {
    child.stdin.end();
    await gone;
  };
  return { url, functionUrl: `${url}/fn`, close, [Symbol.asyncDispose]: close };
}
