/** How large a plugin may be, for the commands that pack one and for those that say beforehand whether it will pack. */
import type { PluginSource } from './source.ts';

export const MEGABYTE = 1024 * 1024;
/** Megabytes of all files together, unpacked, when nothing else is said; daemons take as much (MAX_PLUGIN_PACKAGE_SIZE). */
export const DEFAULT_MAX_MEGABYTES = 50;

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < MEGABYTE ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

/** Bytes of all files, without reading them. */
export function unpackedSize(source: PluginSource): number {
  return source.folder?.files.reduce((sum, file) => sum + file.size, 0) ?? source.archive?.unpackedBytes ?? 0;
}

/** The largest first. */
export function largestFiles(sizes: ReadonlyMap<string, number>, count = 5): [string, number][] {
  return [...sizes].toSorted(([, a], [, b]) => b - a).slice(0, count);
}
