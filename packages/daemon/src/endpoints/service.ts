import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { maskSettings, type ProviderConfig } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { SettingsCipher } from '../backwards-invocation/index.ts';
import type {
  Database,
  EndpointRecord,
  InstallationRecord,
  JsonObject,
  Page,
  StoredDeclaration,
} from '../database/index.ts';
import { endpointConfigOf } from './declaration.ts';
import { anew, type Group, keepMasked, secretsOf, validated } from './entered-settings.ts';
import { orphaned, type PresentedEndpoint, present } from './present.ts';
import { DecryptedSettings, type DecryptedSettingsOptions } from './settings.ts';

export interface EndpointServiceOptions extends DecryptedSettingsOptions {
  readonly database: Pick<Database, 'endpoints' | 'installations' | 'declarations' | 'lifecycle'>;
  readonly cipher: SettingsCipher;
  /** A fresh id for a row (UUID v7). */
  readonly newId: () => string;
  readonly log: { warn(fields: object, message: string): void };
}

export interface EndpointSetup {
  readonly tenantId: string;
  readonly userId: string;
  readonly identifier: string;
  readonly name: string;
  readonly settings: JsonObject;
}

export interface EndpointUpdate {
  readonly tenantId: string;
  readonly userId: string;
  readonly endpointId: string;
  readonly name: string;
  readonly settings: JsonObject;
}

/** Pauses before each attempt to make Dify forget old values, and the longest an attempt may take, in ms. */
const clearPauses = [0, 200, 1_000];
const clearTimeoutMs = 5_000;

/** Endpoint management (docs/wire/http-api.md#endpoint-management). All failures are DaemonErrors with the texts of that section. */
export class EndpointService {
  readonly #database: EndpointServiceOptions['database'];
  readonly #cipher: SettingsCipher;
  readonly #newId: () => string;
  readonly #log: EndpointServiceOptions['log'];
  readonly #decrypted: DecryptedSettings;

  constructor(options: EndpointServiceOptions) {
    this.#database = options.database;
    this.#cipher = options.cipher;
    this.#newId = options.newId;
    this.#log = options.log;
    this.#decrypted = new DecryptedSettings(options.cipher, options);
  }

  /**
   * Settings are encrypted under the new id first; the row is written once, complete (docs/wire/http-api.md#endpoint-management,
   * docs/wire/state.md#reads-and-writes).
   */
  async setup({ tenantId, userId, identifier, name, settings }: EndpointSetup): Promise<void> {
    const installation = await this.#database.installations.findByIdentifier(tenantId, identifier);
    const declaration = installation && (await this.#declarationOf(installation));
    if (installation === undefined || declaration === undefined) throw pluginNotFound();
    const { permitted, group } = endpointConfigOf(declaration);
    if (!permitted) {
      throw new DaemonError(
        'permission-denied',
        'permission denied, you need to enable endpoint access in plugin manifest',
      );
    }
    if (group === undefined) throw new DaemonError('bad-request', 'plugin does not have an endpoint');
    const complete = validated(settings, group.settings);

    const id = this.#newId();
    const encrypted = await failing('failed to encrypt settings', () =>
      this.#cipher.encrypt({ tenantId, userId, endpointId: id, data: complete, config: group.settings }),
    );
    await failing('failed to setup endpoint', () =>
      this.#database.lifecycle.setupEndpoint({
        id,
        tenantId,
        userId,
        pluginId: installation.plugin_id,
        name,
        settings: encrypted,
      }),
    );
  }

  /** Replaces name and settings; a secret that is sent back masked keeps its stored value. */
  async update({ tenantId, userId, endpointId, name, settings }: EndpointUpdate): Promise<void> {
    const endpoint = await this.#database.endpoints.find(tenantId, endpointId);
    if (endpoint === undefined) throw new DaemonError('not-found', 'failed to find endpoint: record not found');
    const installation = await this.#database.installations.find(tenantId, endpoint.plugin_id);
    if (installation === undefined) throw installationNotFound();
    const declaration = await this.#declarationOf(installation);
    if (declaration === undefined) throw pluginNotFound();
    const { group } = endpointConfigOf(declaration);
    if (group === undefined) throw new DaemonError('bad-request', 'plugin does not have an endpoint');

    const about = { tenantId, userId, endpointId: endpoint.id, config: group.settings };
    // Dify remembers decrypted values for a day: what a failed clearing left behind must not be taken for the stored ones.
    await this.#clear(about, clearPauses.slice(0, 1));
    const original = await failing('failed to decrypt settings', () =>
      this.#cipher.decrypt({ ...about, data: endpoint.settings }),
    ).catch((error: DaemonError) => error);
    // What cannot be read any more can be replaced, as long as nothing of it is meant to stay.
    const entered =
      original instanceof DaemonError ? anew(settings, original, group) : keepMasked(settings, original, group);
    const complete = validated(entered, group.settings);
    const encrypted = await failing('failed to encrypt settings', () =>
      this.#cipher.encrypt({ ...about, data: complete }),
    );
    const saved = await failing('failed to update endpoint', () =>
      this.#database.lifecycle.updateEndpoint(tenantId, endpoint.id, { name, settings: encrypted }),
    );
    this.#decrypted.forget(endpoint.id);
    if (saved === undefined) throw new DaemonError('not-found', 'failed to find endpoint: record not found');
    await this.#clear(about);
  }

  async remove(tenantId: string, endpointId: string): Promise<void> {
    const removed = await failing('failed to remove endpoint', () =>
      this.#database.lifecycle.removeEndpoint(tenantId, endpointId),
    );
    // Dify takes exactly this text for success (docs/wire/http-api.md#endpoint-management).
    if (removed === undefined) throw new DaemonError('internal', 'failed to remove endpoint: record not found');
    this.#decrypted.forget(removed.id);
    const config = await this.#configOfRemoved(removed);
    await this.#clear({ tenantId, userId: '', endpointId: removed.id, config });
  }

  /** Idempotent. */
  async setEnabled(tenantId: string, endpointId: string, enabled: boolean): Promise<void> {
    const action = enabled ? 'enable' : 'disable';
    const changed = await failing(`failed to ${action} endpoint`, () =>
      this.#database.lifecycle.setEndpointEnabled(tenantId, endpointId, enabled),
    );
    if (changed === undefined) throw new DaemonError('not-found', 'endpoint not found');
    this.#decrypted.forget(changed.id);
  }

  /**
   * All endpoints of a tenant, newest first. Each stands for itself: one whose plugin is gone comes with empty settings, one whose secrets
   * cannot be decrypted without them, both with the reason.
   */
  async list(tenantId: string, page: Page): Promise<PresentedEndpoint[]> {
    const records = await failing('failed to list endpoints', () =>
      this.#database.endpoints.listByTenant(tenantId, page),
    );
    const pluginIds = [...new Set(records.map((record) => record.plugin_id))];
    const installations =
      pluginIds.length === 0 ? [] : await this.#database.installations.findByPluginIds(tenantId, pluginIds);
    const groups = await this.#groupsOf(installations);
    return Promise.all(
      records.map(async (record) => {
        const group = groups.get(record.plugin_id);
        if (group === undefined) return present(record, orphaned('the plugin is not installed'));
        return typeof group === 'string' ? present(record, orphaned(group)) : this.#presentMasked(record, group);
      }),
    );
  }

  /** The endpoints of one plugin, newest first. */
  async listByPlugin(tenantId: string, pluginId: string, page: Page): Promise<PresentedEndpoint[]> {
    const records = await failing('failed to list endpoints', () =>
      this.#database.endpoints.listByPlugin(tenantId, pluginId, page),
    );
    if (records.length === 0) return [];
    const installation = await this.#database.installations.find(tenantId, pluginId);
    if (installation === undefined) throw installationNotFound();
    const group = (await this.#groupsOf([installation])).get(pluginId);
    if (group === undefined) throw installationNotFound();
    return Promise.all(
      records.map(async (record) =>
        typeof group === 'string' ? present(record, orphaned(group)) : this.#presentMasked(record, group),
      ),
    );
  }

  /** The settings a plugin gets with a webhook call, in the clear. */
  async settingsFor(endpoint: EndpointRecord, group: Group): Promise<JsonObject> {
    return this.#decrypted.of(endpoint, group);
  }

  async #presentMasked(record: EndpointRecord, group: Group): Promise<PresentedEndpoint> {
    try {
      const plain = await failing('failed to decrypt settings', () => this.#decrypted.of(record, group));
      return present(record, { settings: maskSettings(plain, group.settings), declaration: group });
    } catch (error) {
      const { wireMessage } = toDaemonError(error);
      this.#log.warn(
        { tenant_id: record.tenant_id, endpoint_id: record.id, error: wireMessage },
        'the settings of an endpoint cannot be decrypted',
      );
      const secrets = new Set(secretsOf(group));
      const shown = Object.entries(record.settings).filter(([name]) => !secrets.has(name));
      return present(record, { settings: Object.fromEntries(shown), declaration: group, problem: wireMessage });
    }
  }

  /** By plugin id: what the installed version declares, or why it declares nothing. */
  async #groupsOf(installations: readonly InstallationRecord[]): Promise<ReadonlyMap<string, Group | string>> {
    const declarations = await failing('failed to get plugin declaration', () =>
      this.#database.declarations.findMany(
        installations.map(({ plugin_unique_identifier, runtime_type }) => ({
          uniqueIdentifier: plugin_unique_identifier,
          runtimeType: runtime_type,
        })),
      ),
    );
    const groups = new Map<string, Group | string>();
    for (const { plugin_id, plugin_unique_identifier } of installations) {
      const declaration = declarations.get(plugin_unique_identifier);
      groups.set(
        plugin_id,
        declaration === undefined ? 'the declaration of the plugin is missing' : declared(declaration),
      );
    }
    return groups;
  }

  #declarationOf(installation: InstallationRecord): Promise<StoredDeclaration | undefined> {
    return this.#database.declarations.find(installation.plugin_unique_identifier, installation.runtime_type);
  }

  /** What a removed endpoint's plugin declares; undefined when the plugin went before it. */
  async #configOfRemoved(removed: EndpointRecord): Promise<readonly ProviderConfig[] | undefined> {
    const installation = await this.#database.installations.find(removed.tenant_id, removed.plugin_id);
    const declaration = installation && (await this.#declarationOf(installation));
    return declaration && endpointConfigOf(declaration).group?.settings;
  }

  /**
   * Makes Dify forget old values. The change itself stands, so a failure is retried and logged, never answered
   * (docs/wire/state.md#endpoint-settings).
   */
  async #clear(
    about: {
      readonly tenantId: string;
      readonly userId: string;
      readonly endpointId: string;
      /** Undefined when it is not known any more. */
      readonly config: readonly ProviderConfig[] | undefined;
    },
    pauses: readonly number[] = clearPauses,
  ): Promise<void> {
    if (about.config?.some(({ type }) => type === 'secret-input') === false) return;
    let failure: unknown;
    for (const pause of pauses) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        await this.#cipher.clear({ ...about, signal: AbortSignal.timeout(clearTimeoutMs) });
        return;
      } catch (error) {
        failure = error;
      }
    }
    this.#log.warn(
      { tenant_id: about.tenantId, endpoint_id: about.endpointId, error: messageOf(failure) },
      'Dify could not be told to forget the old settings of an endpoint; it may serve them for up to 24 hours',
    );
  }
}

const pluginNotFound = (): DaemonError => new DaemonError('plugin-not-found', 'plugin not found');
const installationNotFound = (): DaemonError =>
  new DaemonError('not-found', 'failed to find plugin installation: record not found');

/** Runs one step; its failure becomes an internal error that names the step. */
async function failing<T>(step: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { remedy } = toDaemonError(error);
    throw new DaemonError('internal', `${step}: ${messageOf(error)}`, {
      cause: error,
      ...(remedy !== undefined && { remedy }),
    });
  }
}

/** What a version declares about its endpoints, or why nothing can be told. */
function declared(declaration: StoredDeclaration): Group | string {
  try {
    return endpointConfigOf(declaration).group ?? 'the installed version of the plugin has no endpoints';
  } catch (error) {
    return `the declaration of the plugin cannot be read: ${messageOf(error)}`;
  }
}
