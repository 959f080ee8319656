/** A function that the test plays, as a plugin that reads and writes lines: for the suite over all runtimes. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PlayedPlugin } from '../../conformance.suite.ts';

export interface PlayedFunction {
  readonly url: string;
  readonly plugin: PlayedPlugin;
  close(): Promise<void>;
}

const idIn = (line: string): string | undefined => /"session_id"\s*:\s*"([^"]+)"/.exec(line)?.[1];

/** What is written before its request has come waits for it; what names no session goes to all. */
export async function playFunction(): Promise<PlayedFunction> {
  const answers = new Map<string, ServerResponse>();
  const early = new Map<string, string[]>();
  const heard: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const hear = (line: string): void => {
    heard.push(line);
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  const put = (id: string, line: string): void => {
    const answer = answers.get(id);
    if (answer === undefined) early.set(id, [...(early.get(id) ?? []), line]);
    else answer.write(line);
    if (answer !== undefined && /"type"\s*:\s*"end"/.test(line)) answer.end();
  };
  const server = createServer((request, response) => {
    const id = String(request.headers['dify-plugin-session-id']);
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      response.writeHead(200).flushHeaders();
      answers.set(id, response);
      hear(body);
      for (const line of early.get(id) ?? []) put(id, line);
    });
    response.on('close', () => {
      if (!response.writableFinished) hear(JSON.stringify({ session_id: id, event: 'cancel' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${port}/fn`,
    plugin: {
      write(text) {
        for (const line of text.split(/(?<=\n)/)) {
          const id = idIn(line);
          for (const to of id === undefined ? answers.keys() : [id]) put(to, line);
        }
      },
      async hear() {
        for (;;) {
          const line = heard.shift();
          if (line !== undefined) return JSON.parse(line);
          await arrived.promise;
        }
      },
      leave: stop,
    },
    close: async () => stop(),
  };
}
