/** The object storage that the settings name: for a start and for a check alike. */
import type { Settings } from '../config/index.ts';
import { type ObjectStorage, openStorage } from '../storage/index.ts';
import { storageOptions } from './storage.ts';

export const openObjects = (settings: Settings, nodeId: string): Promise<ObjectStorage> =>
  openStorage(storageOptions(settings, nodeId));
