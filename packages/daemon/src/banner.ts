/** What an operator sees at start: where things are, what to tell Dify, how to try it. */
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { DataDirectory, SettingWarning } from './config/index.ts';
import { VERSION } from './version.ts';

export interface BannerFacts {
  /** What is really bound. */
  readonly address: AddressInfo;
  /** undefined: debugging connections are switched off. */
  readonly debuggingAddress: AddressInfo | undefined;
  /** The second server, which shows details. */
  readonly detailsAddress: AddressInfo | undefined;
  readonly dataDirectory: Pick<DataDirectory, 'path' | 'serverKey' | 'difyInnerApiKey'>;
  readonly webhooks: boolean;
  readonly warnings: readonly SettingWarning[];
  readonly startedInMs: number;
}

export function banner(facts: BannerFacts): string {
  const { address, debuggingAddress, detailsAddress, dataDirectory, webhooks, warnings, startedInMs } = facts;
  const { serverKey, difyInnerApiKey, path } = dataDirectory;
  const url = urlOf(address);
  const keyOf = (file: string | undefined) => (file === undefined ? 'from the environment' : `generated, in ${file}`);
  const shown = (key: { file: string | undefined }) =>
    key.file === undefined ? '<as configured>' : `$(cat ${inShell(key.file)})`;
  const elsewhere = isEverywhere(address) ? urlFromElsewhere(address.port) : undefined;
  const row = (name: string, value: string): string => `  ${name.padEnd(16)}${value}`;
  return [
    '',
    row('Plugin daemon', `${VERSION}   ${url}   ready in ${startedInMs} ms`),
    '',
    row('Listening on', `${hostAndPort(address)}${reach(address)}`),
    row(
      'Debugging on',
      debuggingAddress === undefined
        ? 'nothing (PLUGIN_REMOTE_INSTALLING_ENABLED=false)'
        : `${hostAndPort(debuggingAddress)}${reach(debuggingAddress)}`,
    ),
    ...(detailsAddress === undefined
      ? []
      : [row('Details on', `${hostAndPort(detailsAddress)}${reach(detailsAddress)}`)]),
    row('API to read', `${urlOf(detailsAddress ?? address)}/docs`),
    row('Data directory', path),
    row('Server key', keyOf(serverKey.file)),
    row('Dify inner key', keyOf(difyInnerApiKey.file)),
    '',
    row('Tell Dify', `PLUGIN_DAEMON_URL=${url}${elsewhere === undefined ? '' : `   from elsewhere ${elsewhere}`}`),
    row('', `PLUGIN_DAEMON_KEY=${shown(serverKey)}`),
    row('', `INNER_API_KEY_FOR_PLUGIN=${shown(difyInnerApiKey)}`),
    ...(webhooks ? [row('', `ENDPOINT_URL_TEMPLATE=${url}/e/{hook_id}`)] : []),
    '',
    ...(warnings.length === 0 ? [] : [...warnings.map(({ message }) => row('Take care', message)), '']),
    row('Try it', `curl ${url}/health/check     or   npm run demo`),
    '',
    '',
  ].join('\n');
}

/** A path as a shell reads it: as it is where nothing in it means anything there. */
const inShell = (path: string): string => (/^[\w./@%+,:-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);

const isEverywhere = ({ address }: AddressInfo): boolean => address === '0.0.0.0' || address === '::';

const isHere = ({ address }: AddressInfo): boolean => address.startsWith('127.') || address === '::1';

const reach = (address: AddressInfo): string =>
  isHere(address)
    ? ', this machine only'
    : isEverywhere(address)
      ? ', every interface: other machines can reach it'
      : '';

export const hostAndPort = ({ address, port }: AddressInfo): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** Where this machine reaches it. */
export const urlOf = (address: AddressInfo): string =>
  `http://${hostAndPort(isEverywhere(address) ? { ...address, address: '127.0.0.1' } : address)}`;

/** The first address that other machines may know this one by. */
function urlFromElsewhere(port: number): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outward = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outward === undefined ? undefined : `http://${outward.address}:${port}`;
}
