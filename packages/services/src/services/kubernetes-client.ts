import { readFileSync } from 'node:fs';
import { request } from 'node:https';

interface Answer {
  readonly status?: { readonly token?: string };
  readonly items?: readonly unknown[];
}

/** One request to an API server; bodies of PATCH are merged. @throws what it refuses, in its words */
export type AskKubernetes = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) => Promise<Answer>;

/** Asks in somebody's name. @param caFile of the CA that has signed the server's certificate */
export const askKubernetes =
  (url: string, caFile: string, token: string): AskKubernetes =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const sent = request(`${url}${path}`, {
        method,
        ca: readFileSync(caFile),
        agent: false,
        timeout: 5000,
        headers: {
          authorization: `Bearer ${token}`,
          // Node announces none for DELETE.
          'content-length': Buffer.byteLength(text),
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
      });
      sent.once('timeout', () => sent.destroy(new Error(`no answer from ${url}`)));
      sent.once('error', reject);
      sent.once('response', (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          answer += part;
        });
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === undefined || response.statusCode >= 400)
            reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
          else resolve(answer.startsWith('{') ? JSON.parse(answer) : {});
        });
      });
      sent.end(text);
    });
