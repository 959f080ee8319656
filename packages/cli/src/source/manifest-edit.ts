/** Changes in manifest.yaml that keep everything else as the author wrote it: comments, order, unknown keys. */

import { join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, YAMLSeq } from 'yaml';
import { CliError, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { readNamedFile } from '../files/read.ts';

export interface ManifestFile {
  path: string;
  document: Document;
  /** Writes the changed document, or nothing when its text is the same. */
  save(): Promise<boolean>;
}

/** @throws CliError when there is no manifest or its YAML is broken */
export async function openManifest(folder: string): Promise<ManifestFile> {
  return openYaml(folder, 'manifest.yaml');
}

/** Any YAML file of a plugin, to be changed in place. */
export async function openYaml(folder: string, file: string): Promise<ManifestFile> {
  const path = join(folder, file);
  let text: string;
  try {
    text = (await readNamedFile(path)).toString('utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') {
      const message =
        file === 'manifest.yaml'
          ? `${folder} is not a plugin folder: it has no manifest.yaml`
          : `${file} does not exist in ${folder}`;
      throw new CliError('invalid-plugin', message, { file, cause: error });
    }
    throw error;
  }
  const document = parseDocument(text, { keepSourceTokens: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw new CliError('invalid-plugin', `${file}: ${error.message.split('\n')[0]}`, {
      file,
      cause: error,
      ...(line === undefined ? {} : { line }),
    });
  }
  if (!isMap(document.contents)) throw new CliError('invalid-plugin', `${file} holds no mapping`, { file });
  return {
    path,
    document,
    async save() {
      const changed = document.toString({ lineWidth: 0, indent: indentOf(text) });
      const written = text.includes('\r\n') ? changed.replaceAll('\n', '\r\n') : changed;
      if (written === text) return false;
      await writeFileAtomic(path, written);
      return true;
    },
  };
}

/** The indent the author uses: that of the first indented line. */
export function indentOf(text: string): number {
  const blanks = /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  return blanks >= 1 && blanks <= 8 ? blanks : 2;
}

/** Adds a value to a list, creating the list where there is none. */
export function appendTo(document: Document, path: readonly string[], value: string): void {
  const existing = document.getIn(path);
  if (isSeq(existing)) {
    existing.add(document.createNode(value));
    return;
  }
  const sequence = new YAMLSeq();
  sequence.add(document.createNode(value));
  document.setIn(path, sequence);
}

/** An empty `{}` becomes a block mapping when something is put into it, as people write it by hand. */
export function openUp(document: Document, path: readonly string[]): void {
  const node = document.getIn(path);
  if (isMap(node) && node.items.length === 0) node.flow = false;
}
