import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import {
  type EndpointDeclaration,
  PackageError,
  type PluginDeclaration,
  type ProviderConfig,
  parseDeclaration,
} from '@plugin-daemon/plugin-package';
import type { StoredDeclaration } from '../database/index.ts';

/** What a plugin declares about its endpoints. */
export interface EndpointConfig {
  /** The plugin's manifest asks for the permission to have endpoints. */
  readonly permitted: boolean;
  /** Undefined when the plugin has no endpoint group. */
  readonly group:
    | { readonly settings: readonly ProviderConfig[]; readonly endpoints: readonly EndpointDeclaration[] }
    | undefined;
}

/** The same stored declaration is handed out for the same plugin version, so its parsed part is kept with it. */
const parsed = new WeakMap<StoredDeclaration, EndpointConfig>();

export function endpointConfigOf(stored: StoredDeclaration): EndpointConfig {
  const known = parsed.get(stored);
  if (known !== undefined) return known;
  const { resource, endpoint } = declarationOf(stored);
  const config: EndpointConfig = {
    permitted: resource.permission?.endpoint?.enabled === true,
    group:
      endpoint === undefined ? undefined : { settings: endpoint.settings ?? [], endpoints: endpoint.endpoints ?? [] },
  };
  parsed.set(stored, config);
  return config;
}

/** @throws DaemonError for a declaration that was damaged since it was stored */
function declarationOf({ json, plugin_unique_identifier }: StoredDeclaration): PluginDeclaration {
  try {
    return parseDeclaration(json);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new DaemonError(
      'internal',
      `the declaration of ${plugin_unique_identifier} cannot be read: ${error.message}`,
      {
        remedy: 'Uninstall the plugin and install it again',
        cause: error,
      },
    );
  }
}
