import { boolean, choice, decimal, InvalidValue, integer, path, text } from './setting.ts';

const ignored = { usedBy: '–', status: 'no-effect' } as const;
const otel = (meaning: string) => ({ ...ignored, meaning: `${meaning} (OpenTelemetry is not supported yet).` });
const sentry = (meaning: string) => ({ ...ignored, meaning: `${meaning} (Sentry is not supported yet).` });

/** Log, traces and error reports. Source: docs/wire/state.md#settings. */
export const telemetrySettings = {
  LOG_LEVEL: choice(
    {
      debug: 'DEBUG',
      info: 'INFO',
      warn: 'WARN',
      warning: 'WARN',
      error: 'ERROR',
      critical: 'ERROR',
      fatal: 'ERROR',
    },
    {
      default: 'INFO',
      meaning:
        'Least severity that is logged. Any case; `WARNING`, `CRITICAL` and `FATAL` of a shared environment work.',
      usedBy: 'telemetry',
    },
  ),
  LOG_OUTPUT_FORMAT: text({
    default: 'text',
    meaning:
      '`json` for one JSON object a line and nothing else on stdout; anything else for readable text, short and in colours on a terminal.',
    usedBy: 'telemetry',
  }),
  LOG_FILE: path({ meaning: 'File that the log is appended to, besides stdout.', usedBy: 'telemetry' }),
  LOG_FILE_MAX_SIZE: integer({
    default: 20,
    unit: 'MB',
    max: 1_000_000,
    meaning: 'Size at which the log file is put away as `LOG_FILE.1` and begun anew; 0: never.',
    usedBy: 'telemetry',
    own: true,
  }),
  LOG_FILE_BACKUP_COUNT: integer({
    default: 5,
    max: 1000,
    meaning: 'How many log files that were put away are kept.',
    usedBy: 'telemetry',
    own: true,
  }),
  ENABLE_OTEL: boolean({
    default: false,
    meaning: 'OpenTelemetry.',
    usedBy: 'telemetry',
    refused: '`true`',
    refuse: (enabled) => {
      if (enabled) {
        throw new InvalidValue(
          'OpenTelemetry is not supported in this version',
          'set ENABLE_OTEL=false for the daemon; log lines carry trace ids and /metrics/ serves Prometheus',
        );
      }
    },
  }),
  OTLP_BASE_ENDPOINT: text({ ...otel('Collector'), default: 'http://localhost:4318' }),
  OTLP_TRACE_ENDPOINT: text(otel('Collector of traces')),
  OTLP_METRIC_ENDPOINT: text(otel('Collector of metrics')),
  OTEL_API_KEY: text({ ...otel('Key of the collector; also `OTLP_API_KEY`'), secret: true, aliases: ['OTLP_API_KEY'] }),
  OTEL_EXPORTER_OTLP_PROTOCOL: text({ ...otel('Protocol'), default: 'http/protobuf' }),
  OTEL_EXPORTER_TYPE: text({ ...otel('Exporter'), default: 'otlp' }),
  OTEL_SAMPLING_RATE: decimal({ ...otel('Share of traces that are kept'), default: 1 }),
  OTEL_BATCH_EXPORT_SCHEDULE_DELAY: integer({ ...otel('Delay of an export'), unit: 'ms', default: 5000 }),
  OTEL_MAX_QUEUE_SIZE: integer({ ...otel('Longest queue'), default: 2048 }),
  OTEL_MAX_EXPORT_BATCH_SIZE: integer({ ...otel('Largest batch'), default: 512 }),
  OTEL_BATCH_EXPORT_TIMEOUT: integer({ ...otel('Time for an export'), unit: 'ms', default: 10_000 }),
  OTEL_METRIC_EXPORT_INTERVAL: integer({ ...otel('Time between exports of metrics'), unit: 'ms', default: 60_000 }),
  OTEL_METRIC_EXPORT_TIMEOUT: integer({ ...otel('Time for an export of metrics'), unit: 'ms', default: 30_000 }),
  SENTRY_ENABLED: boolean({
    default: false,
    meaning: 'Sentry.',
    usedBy: 'telemetry',
    refused: '`true`',
    refuse: (enabled) => {
      if (enabled) {
        throw new InvalidValue('Sentry is not supported in this version', 'set SENTRY_ENABLED=false for the daemon');
      }
    },
  }),
  SENTRY_DSN: text({ ...sentry('Address'), secret: true }),
  SENTRY_ATTACH_STACKTRACE: boolean({ ...sentry('Stack traces'), default: false }),
  SENTRY_TRACING_ENABLED: boolean({ ...sentry('Traces'), default: false }),
  SENTRY_TRACES_SAMPLE_RATE: decimal({ ...sentry('Share of traces'), default: 0 }),
  SENTRY_SAMPLE_RATE: decimal({ ...sentry('Share of errors'), default: 0 }),
};
