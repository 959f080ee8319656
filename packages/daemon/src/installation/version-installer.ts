import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isUniqueIdentifier, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { KeyedLock } from '../concurrency/index.ts';
import type { Database, Fence, JsonObject, RuntimeType, StoredDeclaration } from '../database/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { DeclarationSource } from './declaration-source.ts';
import type { PackageStore } from './package-store.ts';
import type { PreviousVersions } from './previous-versions.ts';
import type { ItemWork } from './task-work.ts';

/** What changed for a tenant, after it was committed. */
export type InstallationChange =
  | { readonly kind: 'installed' | 'uninstalled'; readonly tenantId: string; readonly identifier: string }
  | { readonly kind: 'upgraded'; readonly tenantId: string; readonly identifier: string; readonly original: string };

export interface VersionInstallerParts {
  readonly database: Pick<Database, 'installations' | 'lifecycle' | 'plugins'>;
  readonly store: PackageStore;
  readonly previous: Pick<PreviousVersions, 'remember' | 'forget'>;
  readonly declarations: DeclarationSource;
  /** Makes versions run: on this machine, where the nodes run them, or as functions. */
  readonly plugins: LocalPlugins;
  /** As what they run there. */
  readonly runtimeType: RuntimeType;
  readonly log: Log;
  readonly onChange?: (change: InstallationChange) => void;
}

export interface LaunchControl {
  readonly signal: AbortSignal;
  /** Shows the step it is in. */
  progress(step: string): void;
}

/** One tenant that waits for a version. */
export interface Waiting {
  readonly tenantId: string;
  readonly identifier: string;
  readonly source: string;
  readonly work: ItemWork;
}

export interface VersionSwitch {
  readonly tenantId: string;
  readonly original: string;
  readonly target: string;
  readonly source: string;
  readonly meta: JsonObject;
}

/**
 * What is done with a plugin version: it is made to run here, tenants get it, give it up, or change to it. First the plugin runs, then
 * the rows are written, in one transaction; so what a list shows can be called. Each step can be done again.
 */
export class VersionInstaller {
  readonly #parts: VersionInstallerParts;
  /** Writing the rows of a version and taking away what a version no longer needs exclude each other. */
  readonly #versions = new KeyedLock();

  constructor(parts: VersionInstallerParts) {
    this.#parts = parts;
  }

  /** Runs a job that wants a version here; when it is over and nobody else wants the version, nothing of it stays behind. */
  async claiming<T>(identifier: string, job: (claim: Claim) => Promise<T>): Promise<T> {
    const claim = this.#parts.plugins.claim(identifier);
    try {
      return await job(claim);
    } finally {
      await this.#versions.run(identifier, () => this.#release(identifier, claim));
    }
  }

  /** As what versions run. */
  get runtimeType(): RuntimeType {
    return this.#parts.runtimeType;
  }

  /** As what an upgrade makes the next version run: what another platform had installed runs on this one from now on. */
  typeAfter(before: RuntimeType | undefined): RuntimeType {
    return before === 'remote' ? before : this.runtimeType;
  }

  /** Makes a version run, with upstream's words for what may fail. */
  async launch(identifier: string, claim: Claim, control: LaunchControl): Promise<StoredDeclaration> {
    if (!this.#isLocal) return await this.#ready(identifier, claim, control);
    await failingWith('failed to move plugin to installed bucket', () => this.#markInstalled(identifier));
    return await failingWith('failed to launch plugin', () => this.#ready(identifier, claim, control));
  }

  async #ready(identifier: string, claim: Claim, control: LaunchControl): Promise<StoredDeclaration> {
    // The start reads it; after the version's last uninstall it is made anew from the package.
    const declaration = await this.#parts.declarations.require(identifier, this.runtimeType);
    await claim.ready({ signal: control.signal, onProgress: (step) => control.progress(step) });
    return declaration;
  }

  /** Only there are copies of packages what marks them installed. */
  get #isLocal(): boolean {
    return this.runtimeType === 'local';
  }

  /**
   * Writes the rows of a tenant that waited for a version which is ready.
   * @returns the last message of its item
   * @throws LeaseLost when the job is somebody else's by now; then nothing was written
   */
  async give({ tenantId, identifier, source, work }: Waiting, declaration: StoredDeclaration, fence: Fence) {
    switch (work.kind) {
      case 'present':
        return 'installed';
      case 'install':
        await this.#install({ tenantId, identifier, source, meta: work.meta }, declaration, fence);
        return 'installed';
      case 'upgrade': {
        const { original, meta } = work;
        const { installations } = this.#parts.database;
        const before = await installations.findByIdentifier(tenantId, original);
        await this.switchVersion(
          { tenantId, original, target: identifier, source, meta },
          this.typeAfter(before?.runtime_type),
          declaration,
          fence,
        );
        return 'upgraded';
      }
    }
  }

  async switchVersion(
    wanted: VersionSwitch,
    installType: RuntimeType,
    newDeclaration: StoredDeclaration,
    fence?: Fence,
  ): Promise<void> {
    const { tenantId, original, target, source, meta } = wanted;
    // One after the other in a fixed order, so that two upgrades in opposite directions cannot wait for each other.
    const [first, second] = [original, target].toSorted() as [string, string];
    await this.#versions.run(first, () =>
      this.#versions.run(second, async () => {
        const before = await this.#parts.database.installations.findByIdentifier(tenantId, original);
        const result = await this.#parts.database.lifecycle.upgradeForTenant({
          tenantId,
          originalIdentifier: original,
          newIdentifier: target,
          newDeclaration,
          installType,
          source,
          meta,
          ...(fence !== undefined && { fence }),
        });
        if (result.outcome === 'not-installed') {
          // An earlier attempt got as far as here before its node was lost.
          if (fence !== undefined && (await this.#has(tenantId, target))) return;
          throw new DaemonError('internal', 'plugin has not been installed');
        }
        this.#changed({ kind: 'upgraded', tenantId, identifier: target, original });
        await this.#parts.previous.remember(tenantId, before?.plugin_id ?? pluginIdOf(original), {
          identifier: original,
          source: before?.source ?? '',
          meta: before?.meta ?? {},
        });
        if (result.originalReleased && result.originalInstallType === 'local') await this.#unclaimed(original);
      }),
    );
  }

  /** Takes an installation away from a tenant; unknown ids are no error. */
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
      await this.#parts.previous.forget(tenantId, installation.plugin_id);
      if (result.lastReference && result.installType === 'local') await this.#unclaimed(identifier);
    });
  }

  async #install(
    wanted: Pick<Waiting, 'tenantId' | 'identifier' | 'source'> & { readonly meta: JsonObject },
    declaration: StoredDeclaration,
    fence: Fence,
  ): Promise<void> {
    const { tenantId, identifier, source, meta } = wanted;
    await this.#versions.run(identifier, async () => {
      // Once more: an uninstall elsewhere may have taken it away since the launch.
      if (this.#isLocal) await this.#parts.store.markInstalled(identifier);
      const outcome = await this.#parts.database.lifecycle.installForTenant({
        tenantId,
        pluginId: pluginIdOf(identifier),
        uniqueIdentifier: identifier,
        installType: this.runtimeType,
        source,
        meta,
        declaration,
        fence,
      });
      if (outcome.outcome === 'installed') this.#changed({ kind: 'installed', tenantId, identifier });
    });
  }

  async #has(tenantId: string, identifier: string): Promise<boolean> {
    return (await this.#parts.database.installations.findByIdentifier(tenantId, identifier)) !== undefined;
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

  /** No tenant has a version any more. Under a name that is none, as rows of others may have it, nothing was ever started or kept. */
  async #unclaimed(identifier: string): Promise<void> {
    if (!isUniqueIdentifier(identifier)) return;
    await this.#release(identifier, this.#parts.plugins.claim(identifier));
  }

  /** Gives a claim up, and takes the mark of a version away that it was the last one of. Never fails: the rows are what counts. */
  async #release(identifier: string, claim: Claim): Promise<void> {
    const { store, log, database } = this.#parts;
    try {
      if (!(await claim.release())) return;
      await store.unmarkInstalled(identifier);
      // Another node may have installed it at this very moment.
      if (await database.plugins.exists(identifier)) await store.markInstalled(identifier);
    } catch (error) {
      log.error({ err: error, identifier }, 'what an unused plugin version left behind could not be removed');
    }
  }

  #changed(change: InstallationChange): void {
    this.#parts.log.info(change, 'installation changed');
    this.#parts.onChange?.(change);
  }
}

export const pluginIdOf = (identifier: string): string => parseUniqueIdentifier(identifier).pluginId;

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
