/** By which a process knows that it is a worker; its primary process sets it. */
export const WORKER_VARIABLE = 'PLUGIN_DAEMON_WORKER';

export const isWorker = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment[WORKER_VARIABLE] !== undefined;
