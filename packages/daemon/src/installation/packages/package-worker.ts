/** The worker thread's side of the package workshop: each export is one kind of job. */
import { setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { type PreparedBundle, prepareBundle } from './bundle-jobs.ts';
import * as jobs from './package-jobs.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Where cores are few, those who stream come before those who upload. On Linux this concerns the calling thread alone. */
const NICENESS = 5;
if (process.platform === 'linux') setPriority(NICENESS);

interface Intake {
  readonly bytes: Bytes;
  readonly rules: jobs.IntakeRules;
  /** Where the result goes: the pool would copy the bytes in it, or have its whole library loaded here for the one function that moves them. */
  readonly results: MessagePort;
}

export function upload({ bytes, rules, results }: Intake): void {
  const prepared = jobs.prepareUpload(bytes, rules);
  handOver(results, prepared, jobs.isRefusal(prepared) ? [] : packageBuffers(prepared));
}

export function bundle({ bytes, rules, results }: Intake): void {
  const prepared = prepareBundle(bytes, rules);
  handOver(results, prepared, jobs.isRefusal(prepared) ? [] : bundleBuffers(prepared));
}

/** A package from the store, and what its files must add up to. */
interface Stored {
  readonly bytes: Bytes;
  readonly checksum: string;
}

export function describe(job: Stored & { readonly rules: jobs.PackageRules }): unknown {
  return jobs.describe(job.bytes, job.checksum, job.rules);
}

export function readmes(job: Stored): unknown {
  return jobs.extractReadmes(job.bytes, job.checksum);
}

export function asset(job: Stored & { readonly path: string }): unknown {
  return jobs.extractAsset(job.bytes, job.checksum, job.path);
}

/** Frees memory: giving back tens of megabytes takes the system milliseconds. */
export function discard(job: { readonly bytes: Bytes }): void {
  job.bytes.buffer.transfer(0);
}

function packageBuffers(prepared: jobs.PreparedPackage): ArrayBuffer[] {
  return [prepared.bytes.buffer, ...prepared.assets.map((file) => file.content.buffer)];
}

function bundleBuffers(prepared: PreparedBundle): ArrayBuffer[] {
  return prepared.dependencies.flatMap((dependency) =>
    dependency.type === 'package' ? packageBuffers(dependency.prepared) : [],
  );
}

/** Gives the value's buffers to the other thread instead of copying them. */
function handOver(results: MessagePort, value: object, buffers: readonly ArrayBuffer[]): void {
  results.postMessage(value, [...new Set(buffers)]);
}
