import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Declarations, RuntimeType, StoredDeclaration } from '../database/index.ts';
import type { PackageStore } from './package-store.ts';
import { isRefusal } from './packages/package-jobs.ts';
import type { PackageWorkshop } from './packages/package-workshop.ts';
import type { SignaturePolicy } from './signature-policy.ts';

export interface DeclarationSourceParts {
  readonly declarations: Declarations;
  readonly store: PackageStore;
  readonly workshop: PackageWorkshop;
  readonly policy: SignaturePolicy;
}

/**
 * Declarations for installing. The last uninstall of a version removes its declaration but not its package; installing it again
 * then finds everything it needs in the package (docs/wire/lifecycle.md#installing).
 */
export class DeclarationSource {
  readonly #parts: DeclarationSourceParts;

  constructor(parts: DeclarationSourceParts) {
    this.#parts = parts;
  }

  /** @throws DaemonError `plugin not found` when neither declaration nor package is there */
  async require(identifier: string, runtimeType: RuntimeType): Promise<StoredDeclaration> {
    const { declarations } = this.#parts;
    const stored = await declarations.find(identifier, runtimeType);
    if (stored !== undefined) return stored;
    await this.#rebuild(identifier);
    const rebuilt = await declarations.find(identifier, runtimeType);
    if (rebuilt === undefined) throw notFound();
    return rebuilt;
  }

  async #rebuild(identifier: string): Promise<void> {
    const { declarations, store, workshop, policy } = this.#parts;
    if (!(await store.hasPackage(identifier))) throw notFound();
    const prepared = await workshop.prepareUpload(await store.readPackage(identifier), await policy.forStored());
    if (isRefusal(prepared)) {
      throw new DaemonError(
        'internal',
        prepared.refused,
        prepared.remedy === undefined ? {} : { remedy: prepared.remedy },
      );
    }
    if (prepared.identifier !== identifier) {
      throw new DaemonError('internal', `the stored package is ${prepared.identifier}, not ${identifier}`, {
        remedy: 'Upload the package again',
      });
    }
    for (const { id, content } of prepared.assets) if (!(await store.hasMedia(id))) await store.writeMedia(id, content);
    const { pluginId } = parseUniqueIdentifier(identifier);
    await declarations.insertIfAbsent(identifier, pluginId, prepared.declaration);
  }
}

const notFound = (): DaemonError => new DaemonError('internal', 'plugin not found');
