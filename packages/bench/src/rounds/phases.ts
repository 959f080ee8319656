/** What a daemon can be in the middle of when it is killed, and how to bring it there. */
import { request } from 'node:http';
import type { DaemonClient } from '../daemon/index.ts';
import { benchPackage } from '../plugin/package.ts';
import { type Installable, leaving, onSdk, plain, signed, withDependency } from './packages.ts';
import { call, install, type RoundParts, uninstall, upgrade } from './round.ts';
import type { Sight } from './sight.ts';

export interface Aim {
  readonly sight: Sight;
  /** It is there. */
  reached(): void;
  /** It is there as soon as this holds. */
  when(isThere: () => boolean): void;
  /** Settles when it is there, or late: for what a daemon begins by itself. */
  readonly comes: Promise<void>;
}

export interface Phase {
  readonly name: string;
  /** It takes a plugin on the SDK. */
  readonly sdk?: boolean;
  /** What is made in it, and was made before: removed while no daemon runs. Paths below the data directory. */
  readonly without?: readonly string[];
  /** Leads there, and on to the end if nothing stops it. */
  lead(parts: RoundParts, round: number, aim: Aim): Promise<unknown>;
}

/** So much takes a while to be read and stored. */
const PADDING = 24 << 20;

export const PHASES: readonly Phase[] = [
  {
    name: 'a package is uploaded',
    lead: ({ client }, round, aim) => halfUpload(client, plain(round), () => aim.reached()),
  },
  {
    name: 'an uploaded package is stored',
    lead: ({ client }, _round, aim) => {
      aim.when(() => aim.sight.isFilled('storage', '.writing'));
      return client.upload(benchPackage({ category: 'tool', name: 'padded', padding: PADDING }));
    },
  },
  {
    name: 'a task was made',
    lead: async ({ client }, round, aim) => {
      const { unique_identifier } = await client.upload(plain(round).packed);
      const body = { plugin_unique_identifiers: [unique_identifier], source: 'package' as const, metas: [{}] };
      await client.api.call('installPlugins', { body });
      aim.reached();
    },
  },
  {
    name: 'an environment is made',
    // What it asks for is known otherwise, and nothing is made.
    without: ['cwd/.environments'],
    lead: ({ client }, round, aim) => {
      aim.when(() => aim.sight.entries('cwd/.environments').some((name) => name.startsWith('.new-')));
      return install(client, withDependency(round));
    },
  },
  {
    name: 'uv runs',
    without: ['cwd/.environments'],
    lead: ({ client }, round, aim) => {
      aim.when(() => aim.sight.commands().some((command) => /(^\d+: |\/)uv /.test(command)));
      return install(client, withDependency(round));
    },
  },
  {
    name: 'the environment of a parent is made',
    sdk: true,
    without: ['cwd/.parents'],
    lead: async ({ client }, round, aim) => {
      aim.when(() => aim.sight.entries('cwd/.parents').some((name) => name.startsWith('.new-')));
      await install(client, onSdk(round));
      await aim.comes;
    },
  },
  {
    name: 'a parent imports the SDK',
    sdk: true,
    lead: async ({ client }, round, aim) => {
      aim.when(() => aim.sight.commands().some((command) => command.includes('/.parents/')));
      await install(client, onSdk(round));
      await aim.comes;
    },
  },
  {
    name: 'bytecode is compiled',
    sdk: true,
    without: ['cwd/.bytecode', 'cwd/.environments'],
    lead: async ({ client }, round, aim) => {
      aim.when(() =>
        aim.sight.commands().some((command) => command.includes('/.bytecode/') && !command.endsWith(' nothing')),
      );
      await install(client, onSdk(round));
      // It waits for a quiet time.
      await aim.comes;
    },
  },
  {
    name: 'the first heartbeat is waited for',
    lead: ({ client }, round, aim) => {
      aim.when(() => aim.sight.said('plugin is started', leaving(round).pluginId));
      return install(client, leaving(round));
    },
  },
  {
    name: 'an upgrade switches',
    lead: async ({ client }, round, aim) => {
      const [first, second] = await bothVersions(client, round);
      const named = `${second.split('@')[0]}@`;
      aim.when(() => aim.sight.said('plugin is ready', named));
      await upgrade(client, first, second);
    },
  },
  {
    name: 'the version before an upgrade is drained',
    lead: async ({ client }, round, aim) => {
      const [first, second] = await bothVersions(client, round);
      const long = call(client, plain(round).pluginId, 'slow', { count: 300 });
      // It is cut off with the rest.
      long.catch(() => undefined);
      await upgrade(client, first, second);
      aim.reached();
      await long;
    },
  },
  {
    name: 'a plugin is uninstalled',
    lead: async ({ client, privateKey }, round, aim) => {
      const { pluginId } = signed(round, privateKey);
      await install(client, signed(round, privateKey));
      aim.when(() => !aim.sight.isInstalled(pluginId));
      await uninstall(client, pluginId);
    },
  },
  {
    name: 'environments are collected',
    lead: async ({ client }, round, aim) => {
      await install(client, withDependency(round));
      await uninstall(client, withDependency(round).pluginId);
      const count = () => aim.sight.entries('cwd/.environments').length;
      const before = count();
      aim.when(() => count() < before);
      await client.api.call('collectEnvironments', { body: { remove: true, unused_hours: 0 } });
    },
  },
];

async function bothVersions(client: DaemonClient, round: number): Promise<readonly [first: string, second: string]> {
  const first = await install(client, plain(round));
  const { unique_identifier: second } = await client.upload(plain(round, 1).packed);
  return [first, second];
}

/** Sends the first half of a package, and nothing more. */
async function halfUpload(client: DaemonClient, { packed }: Installable, sent: () => void): Promise<void> {
  const over = Promise.withResolvers<void>();
  const boundary = 'half';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="dify_pkg"; filename="a.difypkg"\r\n\r\n`;
  const path = `/plugin/${client.tenant}/management/install/upload/package`;
  const headers = {
    'X-Api-Key': client.key,
    'Content-Type': `multipart/form-data; boundary=${boundary}`,
    'Content-Length': head.length + packed.length,
  };
  const outgoing = request(client.url + path, { method: 'POST', headers, agent: false });
  outgoing.once('error', () => over.resolve()).once('close', () => over.resolve());
  outgoing.write(Buffer.concat([Buffer.from(head), packed.subarray(0, packed.length / 2)]), () => sent());
  await over.promise;
}
