import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { KeyedLock } from '../concurrency/index.ts';
import type { Database, InstallTaskItem, JsonObject, RuntimeType, StoredDeclaration } from '../database/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { DeclarationSource } from './declaration-source.ts';
import type { InstallJobs, JobControl, NewItem } from './install-jobs.ts';
import type { PackageStore } from './package-store.ts';
import type { PresentedDeclarations } from './presented-declarations.ts';

export interface InstallRequest {
  readonly tenantId: string;
  readonly identifiers: readonly string[];
  /** One for each identifier. */
  readonly metas: readonly JsonObject[];
  readonly source: string;
}

export interface UpgradeRequest {
  readonly tenantId: string;
  readonly original: string;
  readonly target: string;
  readonly source: string;
  readonly meta: JsonObject;
}

/** What the client gets: either nothing is left to do, or the task to watch. */
export type InstallAnswer =
  | { readonly all_installed: true; readonly task_id: '' }
  | { readonly all_installed: false; readonly task_id: string };

/** What changed for a tenant, after it was committed. */
export type InstallationChange =
  | { readonly kind: 'installed' | 'uninstalled'; readonly tenantId: string; readonly identifier: string }
  | { readonly kind: 'upgraded'; readonly tenantId: string; readonly identifier: string; readonly original: string };

export interface InstallationsParts {
  readonly database: Database;
  readonly store: PackageStore;
  readonly declarations: DeclarationSource;
  readonly presented: PresentedDeclarations;
  readonly plugins: LocalPlugins;
  readonly jobs: InstallJobs;
  readonly log: Log;
  readonly onChange?: (change: InstallationChange) => void;
}

const runtimeType: RuntimeType = 'local';
const nothingToDo: InstallAnswer = { all_installed: true, task_id: '' };

/**
 * Installs, upgrades and uninstalls plugins for tenants. A version is shared: the first tenant's installation makes it run here,
 * the last one's end stops it (docs/wire/lifecycle.md#installing). First the plugin runs, then the rows are written, in one
 * transaction; so what a list shows can be called.
 */
export class Installations {
  readonly #parts: InstallationsParts;
  /** Writing the rows of a version and taking away what a version no longer needs exclude each other. */
  readonly #versions = new KeyedLock();

  constructor(parts: InstallationsParts) {
    this.#parts = parts;
  }

  /** @throws DaemonError `plugin not found\nfailed to get plugin declaration`, for the whole request */
  async install(request: InstallRequest): Promise<InstallAnswer> {
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
    const ongoing = this.#parts.jobs.ongoing(tenantId, missing);
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
        job: installedIds.has(pluginIdOf(identifier))
          ? async () => 'installed'
          : (control) => this.#installJob({ tenantId, identifier, source, meta }, control),
      });
    }
    return this.#begin(tenantId, items);
  }

  /** @throws DaemonError `not-found` when the tenant does not have the original */
  async upgrade(request: UpgradeRequest): Promise<InstallAnswer> {
    const { tenantId, original, target, source } = request;
    const { installations, plugins } = this.#parts.database;
    const installation = await installations.findByIdentifier(tenantId, original);
    if (installation === undefined) {
      throw new DaemonError('not-found', 'plugin installation not found for this tenant');
    }
    if (await plugins.exists(target)) {
      const declaration = await this.#parts.declarations.require(target, installation.runtime_type);
      await this.#switchVersion(request, installation.runtime_type, declaration);
      return nothingToDo;
    }
    const ongoing = this.#parts.jobs.ongoing(tenantId, [target]);
    if (ongoing !== undefined) return { all_installed: false, task_id: ongoing };
    const job = (control: JobControl): Promise<string> =>
      this.#claiming(target, async (claim) => {
        const declaration = await this.#launch(target, claim, control);
        control.signal.throwIfAborted();
        await this.#switchVersion(request, installation.runtime_type, declaration);
        return 'upgraded';
      });
    return this.#begin(tenantId, [{ item: blankItem(target, source), job }]);
  }

  /** Unknown ids are no error: what should be gone is gone. */
  async uninstall(tenantId: string, installationId: string): Promise<void> {
    const { installations, lifecycle } = this.#parts.database;
    const installation = await installations.findById(tenantId, installationId);
    if (installation === undefined) return;
    const identifier = installation.plugin_unique_identifier;
    await this.#versions.run(identifier, async () => {
      const result = await lifecycle.uninstallFromTenant({ tenantId, installationId }).catch((error: unknown) => {
        throw new DaemonError('internal', `failed to uninstall plugin: ${toDaemonError(error).message}`, {
          cause: error,
        });
      });
      if (result.outcome === 'absent') return;
      this.#changed({ kind: 'uninstalled', tenantId, identifier });
      if (result.lastReference && result.installType === 'local') await this.#unclaimed(identifier);
    });
  }

  async #begin(tenantId: string, items: readonly NewItem[]): Promise<InstallAnswer> {
    const task = await this.#parts.jobs.begin(tenantId, items);
    return { all_installed: false, task_id: task.id };
  }

  #installJob(
    wanted: {
      readonly tenantId: string;
      readonly identifier: string;
      readonly source: string;
      readonly meta: JsonObject;
    },
    control: JobControl,
  ): Promise<string> {
    const { tenantId, identifier, source, meta } = wanted;
    return this.#claiming(identifier, async (claim) => {
      const declaration = await this.#launch(identifier, claim, control);
      control.signal.throwIfAborted();
      await this.#versions.run(identifier, async () => {
        // Once more: an uninstall elsewhere may have taken it away since the launch.
        await this.#parts.store.markInstalled(identifier);
        const outcome = await this.#parts.database.lifecycle.installForTenant({
          tenantId,
          pluginId: pluginIdOf(identifier),
          uniqueIdentifier: identifier,
          installType: runtimeType,
          source,
          meta,
          declaration,
        });
        if (outcome.outcome === 'installed') this.#changed({ kind: 'installed', tenantId, identifier });
      });
      return 'installed';
    });
  }

  /** Makes a version run here, with upstream's words for what may fail. */
  async #launch(identifier: string, claim: Claim, control: JobControl): Promise<StoredDeclaration> {
    await failingWith('failed to move plugin to installed bucket', () => this.#markInstalled(identifier));
    return await failingWith('failed to launch plugin', async () => {
      // The start reads it; after the version's last uninstall it is made anew from the package.
      const declaration = await this.#parts.declarations.require(identifier, runtimeType);
      await claim.ready({ signal: control.signal, onProgress: (step) => control.progress(step) });
      return declaration;
    });
  }

  async #markInstalled(identifier: string): Promise<void> {
    try {
      await this.#parts.store.markInstalled(identifier);
    } catch (error) {
      const known = toDaemonError(error);
      const text = `failed to get package file when trying to install plugin to local\n${known.message}`;
      throw new DaemonError(known.kind, text, {
        cause: error,
        ...(known.remedy !== undefined && { remedy: known.remedy }),
      });
    }
  }

  async #switchVersion(
    request: UpgradeRequest,
    installType: RuntimeType,
    newDeclaration: StoredDeclaration,
  ): Promise<void> {
    const { tenantId, original, target, source, meta } = request;
    // One after the other in a fixed order, so that two upgrades in opposite directions cannot wait for each other.
    const [first, second] = [original, target].toSorted() as [string, string];
    await this.#versions.run(first, () =>
      this.#versions.run(second, async () => {
        const result = await this.#parts.database.lifecycle.upgradeForTenant({
          tenantId,
          originalIdentifier: original,
          newIdentifier: target,
          newDeclaration,
          installType,
          source,
          meta,
        });
        if (result.outcome === 'not-installed') throw new DaemonError('internal', 'plugin has not been installed');
        this.#changed({ kind: 'upgraded', tenantId, identifier: target, original });
        if (result.originalReleased && result.originalInstallType === 'local') await this.#unclaimed(original);
      }),
    );
  }

  /** Runs a job that wants a version here; when it is over and nobody else wants the version, nothing of it stays behind. */
  async #claiming<T>(identifier: string, job: (claim: Claim) => Promise<T>): Promise<T> {
    const claim = this.#parts.plugins.claim(identifier);
    try {
      return await job(claim);
    } finally {
      await this.#versions.run(identifier, () => this.#release(identifier, claim));
    }
  }

  /** No tenant has a version any more. */
  #unclaimed(identifier: string): Promise<void> {
    return this.#release(identifier, this.#parts.plugins.claim(identifier));
  }

  /** Gives a claim up, and takes the mark of a version away that it was the last one of. Never fails: the rows are what counts. */
  async #release(identifier: string, claim: Claim): Promise<void> {
    const { store, log } = this.#parts;
    try {
      if (await claim.release()) await store.unmarkInstalled(identifier);
    } catch (error) {
      log.error({ err: error, identifier }, 'what an unused plugin version left behind could not be removed');
    }
  }

  async #declarationFor(identifier: string): ReturnType<DeclarationSource['require']> {
    try {
      return await this.#parts.declarations.require(identifier, runtimeType);
    } catch (error) {
      const known = toDaemonError(error);
      throw new DaemonError('internal', `${known.message}\nfailed to get plugin declaration`, { cause: error });
    }
  }

  #changed(change: InstallationChange): void {
    this.#parts.log.info(change, 'installation changed');
    this.#parts.onChange?.(change);
  }
}

const pluginIdOf = (identifier: string): string => parseUniqueIdentifier(identifier).pluginId;

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

async function failingWith<T>(prefix: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const known = toDaemonError(error);
    throw new DaemonError(known.kind, `${prefix}: ${known.message}`, {
      cause: error,
      ...(known.remedy !== undefined && { remedy: known.remedy }),
    });
  }
}
