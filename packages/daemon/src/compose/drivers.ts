/** The object storage and the secrets that the settings name: for a start and for a check alike. */
import { type Settings, secretSettings } from '../config/index.ts';
import { type ObjectStorage, openStorage } from '../storage/index.ts';
import { storageOptions } from './storage.ts';

export const openObjects = (settings: Settings, nodeId: string): Promise<ObjectStorage> =>
  openStorage(storageOptions(settings, nodeId));

/** The values of all settings that are secrets. */
export const secretValues = (settings: Settings): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]: [string, unknown]) =>
    secretSettings.has(name) && typeof value === 'string' ? [value] : [],
  );
