/** The object storage and the secrets that the settings name: for a start and for a check alike. */
import { type Settings, secretSettings } from '../config/index.ts';
import { type ObjectStorage, openLocalStorage } from '../storage/index.ts';

export const openObjects = (settings: Settings, nodeId: string): Promise<ObjectStorage> =>
  openLocalStorage({ root: settings.PLUGIN_STORAGE_LOCAL_ROOT, nodeId });

/** The values of all settings that are secrets. */
export const secretValues = (settings: Settings): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]: [string, unknown]) =>
    secretSettings.has(name) && typeof value === 'string' ? [value] : [],
  );
