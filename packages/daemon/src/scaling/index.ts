/**
 * How many instances of something are wanted, and which of them gets the next call. Owns the rules (a target of open calls for each
 * instance, a stable window and a burst window, idle to zero, least loaded, two random choices) and nothing else: it starts nothing,
 * waits for nothing, and gets the time from whoever asks. Used by supervision/ for processes of this machine and by whoever else scales.
 */
export { Autoscaler, type Load, type ScalingRule } from './autoscaler.ts';
export { leastLoaded, twoChoices } from './choice.ts';
export { LatencyTrend } from './latency-trend.ts';
export { LoadWindow } from './load-window.ts';
