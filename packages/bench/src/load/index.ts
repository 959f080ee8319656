/** The load generator: closed loops, streams, the statistics over them, and what /proc says about the daemon meanwhile. */
export { closedLoop, faultlessLoop, type LoopResult, type RequestParts, requestBytes } from './closed-loop.ts';
export {
  cpuSeconds,
  descendants,
  peakMb,
  privateMb,
  proportionalMb,
  resetPeak,
  residentMb,
} from './process-figures.ts';
export { sideBySide } from './side-by-side.ts';
export { quantile, type Spread, shortNumber, showSpread, spread } from './stats.ts';
export { readStream, type StreamResult } from './stream-reader.ts';
