/** Which runtime answers for a plugin: a debugging connection stands before an installed plugin of the same id. */
import { decodeDeclaration, type PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { Database } from '../database/index.ts';
import { DaemonError } from '../errors/index.ts';
import type { RuntimeDirectory } from '../invocation/index.ts';
import { DebuggingRuntime, type DebuggingRuntimes } from '../runtimes/debugging/index.ts';
import type { LocalSupervisor } from '../supervision/index.ts';

/** The stored declaration of a plugin version. @throws DaemonError `plugin-not-found` */
export async function declarationOf(database: Database, identifier: string): Promise<PluginDeclaration> {
  const stored = await database.declarations.find(identifier);
  if (stored === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return decodeDeclaration(stored.value);
}

export function runtimeDirectory(
  supervisor: LocalSupervisor,
  debugging: DebuggingRuntimes,
  database: Database,
): RuntimeDirectory {
  return {
    peek: (identifier) => debugging.get(identifier) ?? supervisor.peek(identifier),
    ready: async (identifier, signal) => debugging.get(identifier) ?? (await supervisor.ready(identifier, signal)),
    declaration: async (identifier, runtime) =>
      runtime instanceof DebuggingRuntime
        ? decodeDeclaration(runtime.declaration.value)
        : await declarationOf(database, identifier),
  };
}

/** The identifier that a tenant's calls of a plugin go to; undefined if there is none. */
export function installedPlugins(debugging: DebuggingRuntimes, { installations }: Database) {
  return (tenantId: string, pluginId: string): string | undefined | Promise<string | undefined> => {
    const known =
      debugging.find(tenantId, pluginId)?.identifier ??
      installations.peek(tenantId, pluginId)?.plugin_unique_identifier;
    if (known !== undefined) return known;
    return installations.find(tenantId, pluginId).then(async (found) => {
      if (found !== undefined || !debugging.leftRecently(tenantId, pluginId)) return found?.plugin_unique_identifier;
      const back = await debugging.returning(tenantId, pluginId);
      if (back !== undefined) return back.identifier;
      // Its developer restarts it right now: transient, in the words that Dify takes as "try again".
      throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
    });
  };
}
