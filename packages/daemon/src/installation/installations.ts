import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { KeyedLock } from '../concurrency/index.ts';
import type { Database, InstallTaskItem, JsonObject } from '../database/index.ts';
import type { LocalPlugins } from '../supervision/index.ts';
import type { DeclarationSource } from './declaration-source.ts';
import type { InstallJobs, NewItem } from './install-jobs.ts';
import type { PresentedDeclarations } from './presented-declarations.ts';
import type { PreviousVersions } from './previous-versions.ts';
import { pluginIdOf, type VersionInstaller, type VersionSwitch } from './version-installer.ts';

export interface InstallRequest {
  readonly tenantId: string;
  readonly identifiers: readonly string[];
  /** One for each identifier. */
  readonly metas: readonly JsonObject[];
  readonly source: string;
}

export type UpgradeRequest = VersionSwitch;

/** What the client gets: either nothing is left to do, or the task to watch. */
export type InstallAnswer =
  | { readonly all_installed: true; readonly task_id: '' }
  | { readonly all_installed: false; readonly task_id: string };

export interface InstallationsParts {
  readonly database: Database;
  readonly declarations: DeclarationSource;
  readonly presented: PresentedDeclarations;
  readonly installer: VersionInstaller;
  readonly previous: Pick<PreviousVersions, 'find'>;
  readonly jobs: InstallJobs;
  readonly plugins: Pick<LocalPlugins, 'isFailing'>;
}

const nothingToDo: InstallAnswer = { all_installed: true, task_id: '' };

/**
 * Requests to install, upgrade and uninstall plugins for tenants. A version is shared: the first tenant's installation makes it run,
 * the last one's end stops it (docs/wire/lifecycle.md#installing).
 */
export class Installations {
  readonly #parts: InstallationsParts;
  /** Requests of a tenant, one after the other: the second finds the task of the first. */
  readonly #requests = new KeyedLock();

  constructor(parts: InstallationsParts) {
    this.#parts = parts;
  }

  /** @throws DaemonError `plugin not found\nfailed to get plugin declaration`, for the whole request */
  async install(request: InstallRequest): Promise<InstallAnswer> {
    return await this.#requests.run(request.tenantId, () => this.#install(request));
  }

  /** @throws DaemonError `not-found` when the tenant does not have the original */
  async upgrade(request: UpgradeRequest): Promise<InstallAnswer> {
    return await this.#requests.run(request.tenantId, () => this.#upgrade(request));
  }

  /**
   * Back to the version that the tenant had before the last change, which runs before the other one is left. Once more leads forward again.
   * @throws DaemonError `not-found` when the tenant does not have the plugin, or never had another version
   */
  async rollback(tenantId: string, pluginId: string): Promise<InstallAnswer> {
    return await this.#requests.run(tenantId, async () => {
      const [installed] = await this.#parts.database.installations.findByPluginIds(tenantId, [pluginId]);
      if (installed === undefined) throw new DaemonError('not-found', 'plugin installation not found for this tenant');
      const original = installed.plugin_unique_identifier;
      const previous = await this.#parts.previous.find(tenantId, pluginId);
      if (previous === undefined || previous.identifier === original)
        throw new DaemonError('not-found', `there is no version of ${pluginId} before this one to go back to`, {
          remedy: 'Name the version: POST /plugin/{tenant_id}/management/install/upgrade',
        });
      const { identifier: target, source, meta } = previous;
      return await this.#upgrade({ tenantId, original, target, source, meta });
    });
  }

  /** Unknown ids are no error: what should be gone is gone. */
  async uninstall(tenantId: string, installationId: string): Promise<void> {
    await this.#parts.installer.uninstall(tenantId, installationId);
  }

  async #install(request: InstallRequest): Promise<InstallAnswer> {
    const { tenantId, identifiers, metas, source } = request;
    const wanted = new Map<string, JsonObject>();
    for (const [i, identifier] of identifiers.entries()) {
      if (!wanted.has(identifier)) wanted.set(identifier, metas[i] ?? {});
    }
    const pluginIds = [...wanted.keys()].map(pluginIdOf);
    const installed = await this.#parts.database.installations.findByPluginIds(tenantId, pluginIds);
    const installedIds = new Set(installed.map((row) => row.plugin_id));
    const missing = [...wanted.keys()].filter((identifier) => !installedIds.has(pluginIdOf(identifier)));
    if (missing.length === 0) return nothingToDo;
    const ongoing = await this.#parts.jobs.ongoing(tenantId, missing);
    if (ongoing !== undefined) return { all_installed: false, task_id: ongoing };

    const items: NewItem[] = [];
    for (const [identifier, meta] of wanted) {
      const declaration = await this.#declarationFor(identifier);
      const { facts } = this.#parts.presented.of(declaration);
      items.push({
        item: {
          ...blankItem(identifier, source),
          labels: { ...facts.label },
          icon: facts.icon,
          icon_dark: facts.iconDark,
        },
        work: installedIds.has(pluginIdOf(identifier)) ? { kind: 'present' } : { kind: 'install', meta },
      });
    }
    return this.#begin(tenantId, items);
  }

  async #upgrade(request: UpgradeRequest): Promise<InstallAnswer> {
    const { tenantId, original, target, source } = request;
    const { installations, plugins } = this.#parts.database;
    const installation = await installations.findByIdentifier(tenantId, original);
    if (installation === undefined) {
      throw new DaemonError('not-found', 'plugin installation not found for this tenant');
    }
    // That others have it does not make it run: what fails has to show that it does before anybody is switched to it.
    if ((await plugins.exists(target)) && this.#parts.plugins.isFailing?.(target) !== true) {
      const { declarations, installer } = this.#parts;
      const type = installer.typeAfter(installation.runtime_type);
      await installer.switchVersion(request, type, await declarations.require(target, type));
      return nothingToDo;
    }
    const ongoing = await this.#parts.jobs.ongoing(tenantId, [target]);
    if (ongoing !== undefined) return { all_installed: false, task_id: ongoing };
    const work = { kind: 'upgrade', original, meta: request.meta } as const;
    return this.#begin(tenantId, [{ item: blankItem(target, source), work }]);
  }

  async #begin(tenantId: string, items: readonly NewItem[]): Promise<InstallAnswer> {
    const task = await this.#parts.jobs.begin(tenantId, items);
    return { all_installed: false, task_id: task.id };
  }

  async #declarationFor(identifier: string): ReturnType<DeclarationSource['require']> {
    try {
      return await this.#parts.declarations.require(identifier, this.#parts.installer.runtimeType);
    } catch (error) {
      const known = toDaemonError(error);
      throw new DaemonError('internal', `${known.message}\nfailed to get plugin declaration`, { cause: error });
    }
  }
}

function blankItem(identifier: string, source: string): InstallTaskItem {
  return {
    plugin_unique_identifier: identifier,
    labels: { en_US: '' },
    icon: '',
    icon_dark: '',
    plugin_id: pluginIdOf(identifier),
    status: 'pending',
    message: '',
    source,
  };
}
