import { randomBytes } from 'node:crypto';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isUniqueIdentifier, type PluginDeclaration } from '@plugin-daemon/plugin-package';
import { type ObjectStorage, objectKey } from '../storage/index.ts';
import type { Log } from '../telemetry/index.ts';
import { fileNameOf, functionNameOf } from './identity.ts';

/** What is known of a function over restarts. */
export interface FunctionRecord {
  readonly name: string;
  /** The plugin unique identifier. */
  readonly identifier: string;
  readonly pluginId: string;
  /** Under which daemons ask for it. */
  readonly fileName: string;
  /** Part of its address: who does not know it cannot call the function. Daemons send functions no key. */
  readonly token: string;
  readonly runner: { readonly language: string; readonly version: string; readonly entrypoint: string };
  /** `resource.memory` of the manifest, bytes. */
  readonly memory: number;
  /** Milliseconds of the epoch, of the last launch. */
  readonly launchedAt: number;
}

const TOKEN_BYTES = 24;

/** A function that was just built; one that is launched again keeps its address. */
export function newRecord(
  identifier: string,
  pluginId: string,
  declaration: PluginDeclaration,
  before: FunctionRecord | undefined,
): FunctionRecord {
  const { language, version, entrypoint } = declaration.meta.runner;
  return {
    name: functionNameOf(identifier),
    identifier,
    pluginId,
    fileName: fileNameOf(identifier),
    token: before?.token ?? randomBytes(TOKEN_BYTES).toString('base64url'),
    runner: { language, version: version ?? '', entrypoint },
    memory: declaration.resource.memory,
    launchedAt: Date.now(),
  };
}

const RECORDS = 'functions';
const PACKAGES = 'packages';

/** Functions and their packages as objects; a record is written last, so that what has one is whole. */
export class FunctionStore {
  readonly #objects: ObjectStorage;
  readonly #log: Log;

  constructor(objects: ObjectStorage, log: Log) {
    this.#objects = objects;
    this.#log = log;
  }

  /** All functions. Packages without a record, left by a launch that was cut off, are removed. */
  async load(): Promise<FunctionRecord[]> {
    const records: FunctionRecord[] = [];
    for (const key of await this.#objects.list(RECORDS)) {
      const content = await this.#objects.read(objectKey(RECORDS, key));
      const record = content === undefined ? undefined : readRecord(content.toString());
      if (record !== undefined) records.push(record);
      else this.#log.error({ key }, 'the record of a function is damaged: launch its plugin again');
    }
    const known = new Set(records.map(({ name }) => name));
    for (const name of await this.#objects.list(PACKAGES))
      if (!known.has(name)) await this.#objects.delete(objectKey(PACKAGES, name));
    return records;
  }

  async save(record: FunctionRecord): Promise<void> {
    await this.#objects.write(objectKey(RECORDS, record.name), Buffer.from(`${JSON.stringify(record)}\n`));
  }

  async remove({ name }: Pick<FunctionRecord, 'name'>): Promise<void> {
    await this.#objects.delete(objectKey(RECORDS, name));
    await this.#objects.delete(objectKey(PACKAGES, name));
  }

  async writePackage(identifier: string, content: Uint8Array): Promise<void> {
    await this.#objects.write(objectKey(PACKAGES, functionNameOf(identifier)), content);
  }

  async readPackage(identifier: string): Promise<Uint8Array> {
    const content = await this.#objects.read(objectKey(PACKAGES, functionNameOf(identifier)));
    if (content !== undefined) return content;
    throw new DaemonError('internal', 'the package of this function is gone', {
      remedy: 'Launch it again (reinstall the plugin)',
    });
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The file is ours, but disks and people change files. */
function readRecord(text: string): FunctionRecord | undefined {
  let value: Partial<FunctionRecord> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { identifier, pluginId, token, memory, launchedAt } = value;
  const runner: Partial<FunctionRecord['runner']> = value.runner ?? {};
  const { language, version, entrypoint } = runner;
  if (!isText(identifier) || !isUniqueIdentifier(identifier) || !isText(pluginId)) return undefined;
  if (!isText(token) || token.length < TOKEN_BYTES || !isText(language) || !isText(entrypoint)) return undefined;
  if (typeof memory !== 'number' || typeof launchedAt !== 'number' || !isText(version)) return undefined;
  const name = functionNameOf(identifier);
  const fileName = fileNameOf(identifier);
  return { name, identifier, pluginId, fileName, token, runner: { language, version, entrypoint }, memory, launchedAt };
}
