/**
 * Fake neighbours of the daemon: Dify's inner API and a model server. They listen on the loopback only, keep nothing, and
 * are used by the demo, the benchmark and tests.
 */
export { type FakeDify, type FakeDifyOptions, llmChunk, type StreamAnswer, startFakeDify } from './fake-dify.ts';
export { type FakeFunctions, spawnFakeFunctions, startFakeFunctions } from './fake-functions.ts';
export { type FakeOpenAiOptions, startFakeOpenAi } from './fake-openai.ts';
export { encodeFrame, type FrameContent, FrameReader } from './frames.ts';
export type { FakeServer } from './server.ts';
