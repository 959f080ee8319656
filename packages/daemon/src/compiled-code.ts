/**
 * Loads a bundled file with what the engine compiled of it in an earlier start. Node's own cache holds what is compiled when a file is
 * read, which is its outermost function; nearly all that a start runs lies within, and compiling it is a third of the start.
 *
 * What is kept stands beside the file, whose writer decides what runs anyway; a hash over both says that they belong together and are whole,
 * since the engine would run what it is given.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

export interface LoadedFile {
  readonly exports: unknown;
  /** Whether it was found compiled. */
  readonly wasKept: boolean;
  /** Keeps what is compiled by now for later starts, where nothing usable was found at this one. */
  keep(): void;
}

export interface CompiledCodeOptions {
  /** Where compiled code is kept. */
  readonly directory: string;
  /** Runs what compiles under the engine's flags of the loading: with others the engine would not take it back. */
  readonly underSameFlags: (task: () => void) => void;
}

const HASH = 'sha256';
const HASH_BYTES = 32;

/** @param file a CommonJS file of nothing but ASCII */
export function loadCompiled(file: string, { directory, underSameFlags }: CompiledCodeOptions): LoadedFile {
  const source = readFileSync(file, 'latin1');
  // The tag names the engine's version and flags.
  const kept = join(directory, `${basename(file)}.${cachedDataVersionTag()}`);
  const cachedData = read(kept, source);
  const script = new Script(Module.wrap(source), { filename: file, ...(cachedData !== undefined && { cachedData }) });
  const module = new Module(file);
  module.filename = file;
  const require = createRequire(file);
  // As if it had been required.
  require.cache[file] = module;
  const run: (...given: unknown[]) => void = script.runInThisContext();
  run.call(module.exports, module.exports, require, module, file, dirname(file));
  module.loaded = true;
  const wasKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return {
    exports: module.exports,
    wasKept,
    keep() {
      if (wasKept) return;
      underSameFlags(() => write(kept, source, script.createCachedData()));
    },
  };
}

function read(kept: string, source: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(kept);
  } catch {
    return undefined; // the first start
  }
  const code = bytes.subarray(HASH_BYTES);
  return bytes.subarray(0, HASH_BYTES).equals(hashOf(source, code)) ? code : undefined;
}

const hashOf = (source: string, code: Uint8Array): Buffer =>
  hash(HASH, `${hash(HASH, source)} ${hash(HASH, code)}`, 'buffer');

function write(kept: string, source: string, code: Buffer): void {
  const fresh = `${kept}.${process.pid}`;
  try {
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(fresh, Buffer.concat([hashOf(source, code), code]));
    // Whole files appear at once: several daemons may start.
    renameSync(fresh, kept);
  } catch {
    // A file system that is full or read-only: the next start compiles again, which costs nothing but its time.
    try {
      rmSync(fresh, { force: true });
    } catch {
      // Then it was not written either.
    }
  }
}
