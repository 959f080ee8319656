/**
 * How much memory the JavaScript engine takes for this process: little while it starts, some more garbage than it would by itself hold
 * under load, and back to what is in use when it is quiet. Owns the engine's flags; used by the programs alone, not by parts of the daemon.
 */
export { asAtStart, holdBackForStart, releaseAfterStart } from './growth.ts';
export { QuietHeap, type QuietHeapOptions } from './quiet-heap.ts';
