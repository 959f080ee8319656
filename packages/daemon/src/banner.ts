/** What an operator sees at start: where things are, what to tell Dify, how to try it. */
import type { AddressInfo } from 'node:net';
import type { DataDirectory } from './config/index.ts';

export function banner(address: AddressInfo, dataDirectory: DataDirectory, startedInMs: number): string {
  const { serverKey, difyInnerApiKey, path } = dataDirectory;
  const host = address.address === '0.0.0.0' || address.address === '::' ? '127.0.0.1' : address.address;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  const keyOf = (file: string | undefined) => (file === undefined ? 'from the environment' : `generated, in ${file}`);
  const shown = (key: { file: string | undefined }) =>
    key.file === undefined ? '<as configured>' : `$(cat ${key.file})`;
  return [
    '',
    `  Plugin daemon   ${url}   ready in ${startedInMs} ms`,
    '',
    `  Data directory  ${path}`,
    `  Server key      ${keyOf(serverKey.file)}`,
    `  Dify inner key  ${keyOf(difyInnerApiKey.file)}`,
    '',
    `  Tell Dify       PLUGIN_DAEMON_URL=${url}`,
    `                  PLUGIN_DAEMON_KEY=${shown(serverKey)}`,
    `                  INNER_API_KEY_FOR_PLUGIN=${shown(difyInnerApiKey)}`,
    '',
    `  Try it          curl ${url}/health/check     or   npm run demo`,
    '',
    '',
  ].join('\n');
}
