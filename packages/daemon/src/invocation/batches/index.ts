/**
 * Calls of functions that are larger than one request may be, split into several (docs/wire/runtime-protocol.md#batches): for the actions
 * whose request is a list of texts and whose answers can be put together. Owns planning, order and merging; each batch is a call of its own
 * on the runtime. Used by invocation alone.
 */
export { BatchedRuntime, isBatchable } from './batched-runtime.ts';
