import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { JsonObject, ProjectionKind } from './records.ts';

/**
 * A declaration as stored: icons already are asset ids, defaults of the HTTP responses are not filled in.
 *
 * The cache hands out the same object for the same plugin version, so a caller that derives something from it
 * (a response body, a route list) may keep the result in a `WeakMap` keyed by this object.
 */
export class StoredDeclaration {
  readonly plugin_unique_identifier: string;
  readonly plugin_id: string;
  /** The stored JSON text, byte for byte; an object. */
  readonly json: string;
  #value: JsonObject | undefined;

  constructor(plugin_unique_identifier: string, plugin_id: string, json: string) {
    this.plugin_unique_identifier = plugin_unique_identifier;
    this.plugin_id = plugin_id;
    this.json = json;
  }

  /**
   * The parsed declaration, parsed once and shared: never modify it.
   * @throws DaemonError when it was damaged since it was stored
   */
  get value(): JsonObject {
    this.#value ??= this.#parsed();
    return this.#value;
  }

  #parsed(): JsonObject {
    try {
      const value: unknown = JSON.parse(this.json);
      return isObject(value) ? value : {};
    } catch (cause) {
      throw new DaemonError(
        'internal',
        `the stored declaration of ${this.plugin_unique_identifier} is not valid JSON: ${messageOf(cause)}`,
        { remedy: 'Uninstall the plugin and install it again', cause },
      );
    }
  }
}

/** Where the provider name of each kind stands in a declaration. */
const providerOf: { readonly [K in ProjectionKind]: (declared: JsonObject) => unknown } = {
  tool: identityName,
  model: (declared) => declared.provider,
  agent_strategy: identityName,
  datasource: identityName,
  trigger: identityName,
};

function identityName(declared: JsonObject): unknown {
  const identity = declared.identity;
  return isObject(identity) ? identity.name : undefined;
}

/** The kinds a declaration declares, each with its provider's name. A kind without a name counts with an empty name. */
export function declaredProviders(declaration: JsonObject): ReadonlyMap<ProjectionKind, string> {
  const providers = new Map<ProjectionKind, string>();
  for (const kind of Object.keys(providerOf) as ProjectionKind[]) {
    const declared = declaration[kind];
    if (!isObject(declared)) continue;
    const name = providerOf[kind](declared);
    providers.set(kind, typeof name === 'string' ? name : '');
  }
  return providers;
}
