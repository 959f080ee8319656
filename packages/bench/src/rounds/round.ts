/** One round: what tenants, authors and operators do with plugins, side by side, until nothing of it is installed any more. */
import { messageOf } from '@plugin-daemon/values';
import { type DaemonClient, type DaemonProcess, until } from '../daemon/index.ts';
import { DEBUGGED, DebuggedPlugin } from './debugging.ts';
import { FAILING, type Installable, leaving, onSdk, plain, signed, withDependency } from './packages.ts';

export interface RoundParts {
  readonly daemon: DaemonProcess;
  readonly client: DaemonClient;
  /** Packages of third parties are signed with it. */
  readonly privateKey: string;
  /** Whether a plugin on the real SDK is among them: its dependencies are fetched once. */
  readonly sdk: boolean;
}

type Deed = (parts: RoundParts, round: number) => Promise<void>;

const TOKEN = 'a token';

/** What happens in a round, by name. */
const DEEDS: Readonly<Record<string, Deed>> = {
  'install, upgrade, go back, uninstall': async ({ client }, round) => {
    const first = await install(client, plain(round));
    const { unique_identifier: second } = await client.upload(plain(round, 1).packed);
    await upgrade(client, first, second);
    await echo(client, plain(round).pluginId);
    const back = await client.api.call('rollBackPlugin', { body: { plugin_id: plain(round).pluginId } });
    if (!back.all_installed) await client.api.waitForTask(back.task_id, WAITING);
    await echo(client, plain(round).pluginId);
    await uninstall(client, plain(round).pluginId);
  },
  'a signed package': async ({ client, privateKey }, round) => {
    await install(client, signed(round, privateKey));
    await echo(client, signed(round, privateKey).pluginId);
    await uninstall(client, signed(round, privateKey).pluginId);
  },
  'a package with a dependency of its own': async ({ client }, round) => {
    await install(client, withDependency(round));
    await echo(client, withDependency(round).pluginId);
    await uninstall(client, withDependency(round).pluginId);
  },
  'a plugin that exits while it is called': async ({ client }, round) => {
    await install(client, leaving(round));
    await call(client, leaving(round).pluginId, 'exit').catch(() => undefined); // that it ends is what is wanted
    await uninstall(client, leaving(round).pluginId);
  },
  'an endpoint of a plugin on the SDK': async ({ client, daemon, sdk }, round) => {
    if (!sdk) return;
    const plugin = onSdk(round);
    const identifier = await install(client, plugin);
    const settings = { token: TOKEN };
    const body = { plugin_unique_identifier: identifier, user_id: 'user', name: 'hook', settings };
    await client.api.call('setupEndpoint', { body });
    const [endpoint] = await client.api.call('listEndpointsOfPlugin', {
      plugin_id: plugin.pluginId,
      page: 1,
      page_size: 10,
    });
    if (endpoint === undefined) throw new Error('the endpoint is not listed');
    const answer = await fetch(`${daemon.url}/e/${endpoint.hook_id}/notes/one`, { headers: { authorization: 'none' } });
    await answer.arrayBuffer();
    if (answer.status !== 401) throw new Error(`the endpoint answered with ${answer.status}`);
    // Endpoints outlive their plugin, for the day it is installed again: every other one is removed when it is gone.
    const remove = async () => void (await client.api.call('removeEndpoint', { body: { endpoint_id: endpoint.id } }));
    if (round % 2 === 0) await remove();
    await uninstall(client, plugin.pluginId);
    if (round % 2 !== 0) await remove();
  },
  'a debugging connection': async ({ client, daemon }) => {
    const { key } = await client.api.call('getDebuggingKey', {});
    const plugin = await DebuggedPlugin.register(daemon.debuggingPort, key);
    const isListed = async () => (await client.list()).some((one) => one.plugin_id === DEBUGGED);
    await until('the debugged plugin is listed', isListed);
    plugin.leave();
    await until('the debugged plugin is gone', async () => !(await isListed()));
  },
  'an installation that fails': async ({ client }, round) => {
    const failing = Object.entries(FAILING);
    const [what, make] = failing[round % failing.length] ?? ['', () => Buffer.alloc(0)];
    const went = await client.upload(make()).then(
      async ({ unique_identifier }) =>
        await client.install(unique_identifier).then(
          () => true,
          () => false,
        ),
      () => false,
    );
    if (went) throw new Error(`${what} was installed`);
  },
};

const WAITING = { everyMs: 25 };

/** @throws Error that names the deed */
export async function playRound(parts: RoundParts, round: number): Promise<void> {
  const played = await Promise.allSettled(
    Object.entries(DEEDS).map(async ([name, deed]) => {
      await deed(parts, round).catch((error: unknown) => {
        throw new Error(`round ${round}, ${name}: ${messageOf(error)}`, { cause: error });
      });
    }),
  );
  const failed = played.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await parts.client.api.call('deleteAllInstallTasks', {});
}

/** Ends whatever a round has left installed because it was cut off. */
export async function uninstallAll(client: DaemonClient, keep: string): Promise<void> {
  for (const { id } of await client.api.call('listEndpoints', { page: 1, page_size: 100 }))
    await client.api.call('removeEndpoint', { body: { endpoint_id: id } });
  for (const { id, plugin_id } of await client.list()) if (plugin_id !== keep) await client.uninstall(id);
  await client.api.call('deleteAllInstallTasks', {});
}

export async function install(client: DaemonClient, { packed }: Installable): Promise<string> {
  const { unique_identifier } = await client.upload(packed);
  await client.install(unique_identifier);
  return unique_identifier;
}

export async function upgrade(client: DaemonClient, from: string, to: string): Promise<void> {
  const body = {
    original_plugin_unique_identifier: from,
    new_plugin_unique_identifier: to,
    source: 'package' as const,
    meta: {},
  };
  const begun = await client.api.call('upgradePlugin', { body });
  if (!begun.all_installed) await client.api.waitForTask(begun.task_id, WAITING);
}

export async function uninstall(client: DaemonClient, pluginId: string): Promise<void> {
  const found = (await client.list()).find((one) => one.plugin_id === pluginId);
  if (found === undefined) throw new Error(`${pluginId} is not installed`);
  await client.uninstall(found.id);
}

export async function call(
  client: DaemonClient,
  pluginId: string,
  tool: string,
  parameters: object = { text: 'there' },
): Promise<number> {
  const provider = pluginId.split('/')[1];
  const data = { provider, tool, tool_parameters: parameters, credentials: {} };
  let messages = 0;
  for await (const _ of client.invoke('tool/invoke', pluginId, data)) messages++;
  return messages;
}

export async function echo(client: DaemonClient, pluginId: string): Promise<void> {
  if ((await call(client, pluginId, 'echo')) !== 1) throw new Error(`${pluginId} did not answer`);
}
