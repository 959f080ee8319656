import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Declarations } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { PackageStore } from './package-store.ts';
import type { BundleDependency } from './packages/bundle-jobs.ts';
import {
  type Checked,
  isRefusal,
  type PackageDescription,
  type PreparedPackage,
  type Refusal,
} from './packages/package-jobs.ts';
import type { PackageWorkshop } from './packages/package-workshop.ts';
import type { SignaturePolicy } from './signature-policy.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface IntakeOptions {
  /** The client asked for a valid signature. */
  readonly verifySignature: boolean;
  readonly signal?: AbortSignal;
}

/** A stored package, as the client gets it. `manifest` is JSON. */
export interface AcceptedPackage {
  readonly identifier: string;
  readonly manifest: string;
  readonly verification: { readonly authorized_category: string } | null;
}

export type AcceptedDependency =
  | Exclude<BundleDependency, { type: 'package' }>
  | { readonly type: 'package'; readonly accepted: AcceptedPackage };

export interface PackageIntakeParts {
  readonly workshop: PackageWorkshop;
  readonly store: PackageStore;
  readonly declarations: Declarations;
  readonly policy: SignaturePolicy;
  readonly log: Log;
  /** Told of each package that was written to the storage, with what decoding it again would say. */
  readonly onStored?: (identifier: string, description: PackageDescription) => void;
}

/** Takes back one step of a persist. */
type Undo = () => Promise<unknown>;

/**
 * Uploaded bytes become an accepted package: decoded and checked in a worker thread, then stored as icons, package, declaration,
 * in this order. A failure takes back what this upload wrote and leaves what was there before (docs/wire/lifecycle.md#upload).
 */
export class PackageIntake {
  readonly #parts: PackageIntakeParts;
  /** Persists run one at a time: taking back must not take away what another upload relies on. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: PackageIntakeParts) {
    this.#parts = parts;
  }

  /**
   * @param bytes the `.difypkg`; unusable afterwards
   * @throws DaemonError with upstream's texts
   */
  async upload(bytes: Bytes, options: IntakeOptions): Promise<AcceptedPackage> {
    const rules = await this.#parts.policy.forUpload(options.verifySignature);
    const prepared = this.#checked(await this.#parts.workshop.prepareUpload(bytes, rules, options.signal));
    const [accepted] = await this.#persistAll([prepared], (text) => `${text}\nfailed to save package`, 'bad-request');
    if (accepted === undefined) throw new Error('persisting one package yields one result');
    return accepted;
  }

  /**
   * All packages of a bundle are checked before the first is stored, and stored all or none (docs/wire/http-api.md#uploads).
   * @param bytes the `.difybndl`; unusable afterwards
   */
  async uploadBundle(bytes: Bytes, options: IntakeOptions): Promise<readonly AcceptedDependency[]> {
    const rules = await this.#parts.policy.forBundle(options.verifySignature);
    const bundle = this.#checked(await this.#parts.workshop.prepareBundle(bytes, rules, options.signal));
    const packages = bundle.dependencies.flatMap((each) => (each.type === 'package' ? [each.prepared] : []));
    const accepted = await this.#persistAll(packages, (text) => `failed to save package\n${text}`, 'internal');
    const byPackage = new Map(packages.map((prepared, i) => [prepared, accepted[i]]));
    return bundle.dependencies.map((each) => {
      if (each.type !== 'package') return each;
      const result = byPackage.get(each.prepared);
      if (result === undefined) throw new Error('every package of a bundle was persisted');
      return { type: 'package', accepted: result };
    });
  }

  #checked<T extends object>(result: Checked<T>): T {
    if (!isRefusal(result)) return result;
    const refusal: Refusal = result;
    this.#parts.log.warn({ reason: refusal.refused, detail: refusal.detail }, 'package refused');
    throw new DaemonError(refusal.internal === true ? 'internal' : 'bad-request', refusal.refused, {
      ...(refusal.remedy !== undefined && { remedy: refusal.remedy }),
    });
  }

  async #persistAll(
    packages: readonly PreparedPackage[],
    context: (text: string) => string,
    kind: 'bad-request' | 'internal',
  ): Promise<readonly AcceptedPackage[]> {
    return this.#inTurn(async () => {
      const undo: Undo[] = [];
      const accepted: AcceptedPackage[] = [];
      try {
        for (const prepared of packages) accepted.push(await this.#persist(prepared, undo));
      } catch (error) {
        await this.#takeBack(undo);
        const { message, remedy } = toDaemonError(error);
        throw new DaemonError(kind, context(message), { cause: error, ...(remedy !== undefined && { remedy }) });
      } finally {
        for (const prepared of packages) this.#discard(prepared);
      }
      return accepted;
    });
  }

  async #persist(prepared: PreparedPackage, undo: Undo[]): Promise<AcceptedPackage> {
    const { store, declarations, log, onStored } = this.#parts;
    const { identifier } = prepared;
    for (const { id, content } of prepared.assets) {
      // Icons are named after their content: what exists is the same and perhaps another package's.
      if (await store.hasMedia(id)) continue;
      undo.push(() => store.deleteMedia(id));
      await store.writeMedia(id, content);
    }
    if (!(await store.hasPackage(identifier))) {
      undo.push(async () => {
        if ((await declarations.find(identifier)) === undefined) await store.deletePackage(identifier);
      });
    }
    await store.writePackage(identifier, prepared.bytes);
    if (await declarations.insertIfAbsent(identifier, prepared.pluginId, prepared.declaration)) {
      undo.push(() => declarations.delete(identifier));
    } else {
      await this.#refresh(prepared, undo);
    }
    onStored?.(identifier, { manifest: prepared.described, verification: prepared.verification });
    if (prepared.warnings.length > 0)
      log.info({ identifier, warnings: prepared.warnings }, 'package accepted with warnings');
    return { identifier, manifest: prepared.manifest, verification: prepared.verification };
  }

  /**
   * The same content may be judged anew, say by keys that came later: lists then show what this upload answers (docs/wire/state.md#tables).
   */
  async #refresh({ identifier, declaration }: PreparedPackage, undo: Undo[]): Promise<void> {
    const { declarations } = this.#parts;
    const before = (await declarations.find(identifier))?.json;
    if (before === undefined || before === declaration) return;
    undo.push(() => declarations.replace(identifier, before));
    await declarations.replace(identifier, declaration);
  }

  async #takeBack(undo: readonly Undo[]): Promise<void> {
    for (const step of undo.toReversed()) {
      try {
        await step();
      } catch (error) {
        this.#parts.log.error({ err: error }, 'what a failed upload had stored could not be removed');
      }
    }
  }

  #discard({ identifier, bytes }: PreparedPackage): void {
    this.#parts.workshop.discard(bytes).catch((error: unknown) => {
      // Nothing is lost: the collector frees it later.
      this.#parts.log.debug({ err: error, identifier }, 'memory of an uploaded package could not be freed at once');
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
