/** The size `plugin package` packs and daemons take, said before somebody packs. */
import { DEFAULT_MAX_MEGABYTES, largestFiles, MEGABYTE, sizeText, unpackedSize } from '../source/size-limit.ts';
import type { PluginSource } from '../source/source.ts';
import type { Findings } from './finding.ts';

export function checkSize(findings: Findings, source: PluginSource): void {
  const total = unpackedSize(source);
  if (total <= DEFAULT_MAX_MEGABYTES * MEGABYTE) return;
  const largest = largestFiles(new Map(source.folder?.files.map((file) => [file.path, file.size])), 3);
  const named = largest.map(([name, size]) => `${name} (${sizeText(size)})`).join(', ');
  findings.add({
    severity: 'error',
    rule: 'package/size',
    message: `all files together have ${sizeText(total)}, more than the ${DEFAULT_MAX_MEGABYTES} MB that dify plugin package packs and daemons take${named === '' ? '' : `; the largest: ${named}`}`,
    remedy: 'leave out with .difyignore what is not needed at run time; dify plugin package --explain lists everything',
    file: largest[0]?.[0] ?? 'manifest.yaml',
  });
}
