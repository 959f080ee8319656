import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PythonEnvironments, workingDirectoryName } from '@plugin-daemon/plugin-host/environments';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { decodeDeclaration, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { isRefusal, type PackageWorkshop, type SignaturePolicy } from '../../installation/index.ts';
import { Limiter } from '../../supervision/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { BuiltFunction } from '../backends/index.ts';
import { type FunctionRecord, type FunctionStore, newRecord } from '../function-store.ts';

export interface FunctionBuilderParts {
  readonly workshop: PackageWorkshop;
  readonly policy: SignaturePolicy;
  readonly environments: Pick<PythonEnvironments, 'prepare'>;
  readonly store: FunctionStore;
  /** PLUGIN_WORKING_PATH */
  readonly workingPath: string;
  /** Whether functions see environments that they share. */
  readonly showsShared: boolean;
  /** Environments built at once. */
  readonly buildsAtOnce: number;
  readonly log: Log;
}

export interface BuildRequest {
  /** What the package says it is, by its file name or its metadata. */
  readonly identifier: string;
  /** The `.difypkg`; unusable afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The function as it was launched before. */
  readonly before: FunctionRecord | undefined;
  readonly signal: AbortSignal;
  readonly onStep: (text: string) => void;
}

const noStep = () => undefined;
const LOG = '.environment.log';

/** Checks packages as the daemon's own intake does, keeps them, and makes their environments. */
export class FunctionBuilder {
  readonly #parts: FunctionBuilderParts;
  readonly #builds: Limiter;

  constructor(parts: FunctionBuilderParts) {
    this.#parts = parts;
    this.#builds = new Limiter(parts.buildsAtOnce);
  }

  /**
   * From bytes to an environment.
   * @throws DaemonError with cause and remedy; the signal's reason
   */
  async build({ identifier, bytes, before, signal, onStep }: BuildRequest): Promise<FunctionRecord> {
    const { workshop, policy, store, log } = this.#parts;
    const checked = await workshop.prepareUpload(bytes, await policy.forUpload(false), signal);
    if (isRefusal(checked)) {
      log.warn({ plugin: identifier, reason: checked.refused, detail: checked.detail }, 'package refused');
      throw new DaemonError('bad-request', checked.refused, {
        ...(checked.remedy !== undefined && { remedy: checked.remedy }),
      });
    }
    if (checked.identifier !== identifier)
      throw new DaemonError('bad-request', `the package is ${checked.identifier}, and was named ${identifier}`, {
        remedy: 'Upload it under its own name',
      });
    const record = newRecord(identifier, checked.pluginId, decodeDeclaration(JSON.parse(checked.declaration)), before);
    await store.writePackage(identifier, checked.bytes);
    await workshop.discard(checked.bytes).catch((error: unknown) => {
      // Nothing is lost: the collector frees it later.
      log.debug({ error, plugin: identifier }, 'memory of a package could not be freed at once');
    });
    onStep('building the environment');
    await this.prepare(record, signal, onStep);
    return record;
  }

  /** The environment of a function, made anew where it is gone. @throws as build */
  async prepare(
    record: FunctionRecord,
    signal: AbortSignal,
    onStep: (text: string) => void = noStep,
  ): Promise<BuiltFunction> {
    const { environments, store, showsShared } = this.#parts;
    const { identifier, runner } = record;
    const prepare = () =>
      environments.prepare({
        identifier,
        readPackage: () => store.readPackage(identifier),
        checksum: parseUniqueIdentifier(identifier).checksum,
        runner,
        signal,
        onProgress: onStep,
      });
    const { directory, python, shared, fresh } = await this.#builds.run(signal, async () => {
      const prepared = await prepare();
      if (prepared.shared === undefined || showsShared) return prepared;
      // Made while another back end was chosen.
      await this.removeEnvironment(record);
      return await prepare();
    });
    return { record, directory, python, fresh, ...(shared !== undefined && { shared }) };
  }

  directoryOf({ identifier }: Pick<FunctionRecord, 'identifier'>): string {
    return join(this.#parts.workingPath, workingDirectoryName(identifier));
  }

  /** Nothing of the function may run. */
  async removeEnvironment(record: Pick<FunctionRecord, 'identifier'>): Promise<void> {
    const directory = this.directoryOf(record);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    await rm(`${directory}.lock`, { force: true });
  }

  /** What a build that failed has left, but its log, which a failure may name; that is collected with age. */
  async removeAttempt(target: Pick<FunctionRecord, 'identifier'>): Promise<void> {
    const directory = this.directoryOf(target);
    const names = await readdir(directory).catch((): string[] => []);
    if (!names.includes(LOG)) return await this.removeEnvironment(target);
    for (const name of names)
      if (name !== LOG) await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 });
  }
}
