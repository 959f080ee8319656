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
  /** Keeps what is compiled by now for later starts, where nothing usable was found at this one. The first time alone counts. */
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
const WORTH_BYTES = 1024 * 1024;

/** @param file a CommonJS file of nothing but ASCII */
export function loadCompiled(file: string, { directory, underSameFlags }: CompiledCodeOptions): LoadedFile {
  const source = wrapped(file);
  // The tag names the engine's version and flags.
  const kept = join(directory, `${basename(file)}.${cachedDataVersionTag()}`);
  const sourceHash = hash(HASH, source);
  const code = read(kept, sourceHash);
  const script = new Script(source.toString('latin1'), {
    filename: file,
    ...(code !== undefined && { cachedData: code }),
  });
  free(source);
  const wasKept = code !== undefined && script.cachedDataRejected !== true;
  if (code !== undefined) free(code);
  const module = new Module(file);
  module.filename = file;
  const require = createRequire(file);
  // As if it had been required.
  require.cache[file] = module;
  const run: (...given: unknown[]) => void = script.runInThisContext();
  run.call(module.exports, module.exports, require, module, file, dirname(file));
  module.loaded = true;
  let isKept = wasKept;
  return {
    exports: module.exports,
    wasKept,
    keep() {
      if (isKept) return;
      isKept = true;
      underSameFlags(() => write(kept, sourceHash, script.createCachedData()));
    },
  };
}

/** What `require` makes of a file before it is compiled: a function of what the file may use. */
function wrapped(file: string): Buffer<ArrayBuffer> {
  const parts = ['(function (exports, require, module, __filename, __dirname) { ', readFileSync(file), '\n});'];
  return concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

/** In memory of its own, which can be freed. */
function concat(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Gives megabytes back that the collector of a daemon without calls would leave for long. */
function free({ buffer }: Buffer<ArrayBuffer>): void {
  // Small ones may be slices of what all of the process shares.
  if (buffer.byteLength > WORTH_BYTES) buffer.transfer(0);
}

function read(kept: string, sourceHash: string): Buffer<ArrayBuffer> | undefined {
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = readFileSync(kept);
  } catch {
    return undefined; // the first start
  }
  const code = bytes.subarray(HASH_BYTES);
  return bytes.subarray(0, HASH_BYTES).equals(hashOf(sourceHash, code)) ? code : undefined;
}

const hashOf = (sourceHash: string, code: Uint8Array): Buffer =>
  hash(HASH, `${sourceHash} ${hash(HASH, code)}`, 'buffer');

function write(kept: string, sourceHash: string, code: Buffer): void {
  const fresh = `${kept}.${process.pid}`;
  try {
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(fresh, Buffer.concat([hashOf(sourceHash, code), code]));
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
