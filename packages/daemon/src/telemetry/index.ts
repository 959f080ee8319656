/**
 * What the daemon says about itself: log, metrics, trace ids.
 *
 * Owns the log's destinations and the metric registry; touches stdout and the log file only. Compose creates one log and
 * one set of metrics and hands them to the parts, which log through `Log` and record through `Metrics`.
 */
export { type Log, silentLog } from '@plugin-daemon/plugin-host/log';
export { createLog, type LogOptions, type OwnedLog } from './log.ts';
export {
  type Counter,
  createMetrics,
  type Gauge,
  type Histogram,
  type Metrics,
  type MetricsOptions,
  type MetricValues,
  renderMerged,
} from './metrics.ts';
export { type JournalLine, type JournalQuery, PluginJournal } from './plugin-journal.ts';
export { cleanText, SecretFilter } from './redaction.ts';
export { RotatingFile } from './rotating-file.ts';
export { TraceContext } from './trace-context.ts';
export { visible } from './visible.ts';
