/**
 * A daemon from outside: its process on a temporary data directory, and a small client that speaks to it as Dify does.
 * Nothing here imports the daemon's code.
 */
export {
  type ClientOptions,
  DaemonAnswerError,
  DaemonClient,
  type InstallTask,
  TENANT,
  type Uploaded,
} from './client.ts';
export { keepUv, keptUv } from './kept-uv.ts';
export { metricIn, metricOf, until } from './look.ts';
export { type DaemonOptions, DaemonProcess, delay } from './process.ts';
export { s3Settings } from './s3-settings.ts';
export { type Envelope, EventCounter, sseEvents } from './sse.ts';
