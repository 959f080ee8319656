/** Names of files and their number, as far as packages, daemons and file systems take them. */
import { MAX_ENTRIES, MAX_NAME_LENGTH } from '@plugin-daemon/plugin-package';
import type { PluginFiles } from '../source/source.ts';
import type { Findings } from './finding.ts';

/** Bytes of one part of a path that common file systems take. */
const MAX_PART = 255;

export function checkPaths(findings: Findings, files: PluginFiles): void {
  const add = (rule: string, message: string, remedy: string, file: string): void =>
    findings.add({ severity: 'error', rule, message, remedy, file });
  for (const name of files.names) {
    const bytes = Buffer.byteLength(name);
    const long = name.split('/').find((part) => Buffer.byteLength(part) > MAX_PART);
    if (bytes > MAX_NAME_LENGTH)
      add(
        'package/path',
        `the path of a file has ${bytes} bytes, more than the ${MAX_NAME_LENGTH} that a daemon takes`,
        'shorten the names of its folders, or leave it out with .difyignore',
        name,
      );
    else if (long !== undefined)
      add(
        'package/path',
        `a name has ${Buffer.byteLength(long)} bytes, more than the ${MAX_PART} that file systems take`,
        'shorten it, or leave the file out with .difyignore',
        name,
      );
  }
  if (files.names.length > MAX_ENTRIES)
    add(
      'package/files',
      `the package has ${files.names.length} files, more than the ${MAX_ENTRIES} that a daemon takes`,
      'leave out with .difyignore what is not needed at run time',
      'manifest.yaml',
    );
}
