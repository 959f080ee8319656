import { isObject, messageOf } from '@plugin-daemon/values';
import type { Database, JsonObject } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';

/** What a tenant had before it changed the version. */
export interface PreviousVersion {
  readonly identifier: string;
  readonly source: string;
  readonly meta: JsonObject;
}

/** For each tenant and plugin the version before the last change, so that one step leads back. */
export class PreviousVersions {
  readonly #notes: Pick<Database['pluginNotes'], 'find' | 'list' | 'write' | 'delete'>;
  readonly #log: Log;

  constructor(notes: Pick<Database['pluginNotes'], 'find' | 'list' | 'write' | 'delete'>, log: Log) {
    this.#notes = notes;
    this.#log = log;
  }

  async find(tenantId: string, pluginId: string): Promise<PreviousVersion | undefined> {
    const text = await this.#notes.find('previous', subject(tenantId, pluginId));
    return text === undefined ? undefined : read(text);
  }

  /** Their packages are still wanted. */
  async identifiers(): Promise<readonly string[]> {
    return [...(await this.#notes.list('previous')).values()].flatMap((text) => read(text)?.identifier ?? []);
  }

  /** Never fails: the change itself is done, and counts. */
  async remember(tenantId: string, pluginId: string, version: PreviousVersion): Promise<void> {
    try {
      await this.#notes.write('previous', subject(tenantId, pluginId), JSON.stringify(version));
    } catch (error) {
      this.#log.warn(
        { plugin: version.identifier, reason: messageOf(error) },
        'the way back could not be written down',
      );
    }
  }

  /** Never fails, as above. */
  async forget(tenantId: string, pluginId: string): Promise<void> {
    try {
      await this.#notes.delete('previous', subject(tenantId, pluginId));
    } catch (error) {
      this.#log.warn({ plugin_id: pluginId, reason: messageOf(error) }, 'the way back could not be forgotten');
    }
  }
}

const subject = (tenantId: string, pluginId: string): string => `${tenantId}/${pluginId}`;

function read(text: string): PreviousVersion | undefined {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return undefined;
  const { identifier, source, meta } = value;
  if (typeof identifier !== 'string' || typeof source !== 'string' || !isObject(meta)) return undefined;
  return { identifier, source, meta };
}
