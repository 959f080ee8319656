/** Uploads one package from a thread of its own, so that the sender of 45 MB does not delay the clock of others. */
import { parentPort, workerData } from 'node:worker_threads';
import { DaemonClient } from '../daemon/index.ts';

const { url, key, packages }: { url: string; key: string; packages: readonly Uint8Array[] } = workerData;
await using client = new DaemonClient({ url, key });
for (const packed of packages) await client.upload(Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength));
parentPort?.postMessage('done');
