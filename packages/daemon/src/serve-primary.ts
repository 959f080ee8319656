/** The process that has workers: it holds the data directory, starts them and stops them. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '@plugin-daemon/plugin-host/sibling-module';
import { openLog } from './compose/log.ts';
import {
  concealEnvironment,
  type DataDirectory,
  debuggingKeysFile,
  openDataDirectory,
  type Settings,
  secretSettings,
  secretValues,
  usesRedis,
  writeAddressFile,
} from './config/index.ts';
import { QuietHeap, releaseAfterStart } from './heap/index.ts';
import { spreadLastNet } from './last-net.ts';
import { KeyFile } from './runtimes/debugging/index.ts';
import { tell } from './served.ts';
import type { StopSignals } from './stop-signals.ts';
import { VERSION } from './version.ts';
import { WORKER_VARIABLE } from './worker-variable.ts';
import { Primary, type WorkerFacts, type WorkerProcess } from './workers/index.ts';

/** What a worker may take beyond the limits of its calls before it is ended. */
const LEAVE_MS = 30_000;

export async function servePrimary(settings: Settings, starting: AbortController, signals: StopSignals): Promise<void> {
  // Workers read their settings themselves.
  const given = { ...process.env };
  concealEnvironment(
    (name) => secretSettings.has(name),
    () => false,
  );
  const dataDirectory = openDataDirectory(settings);
  const { serverKey, difyInnerApiKey, formerServerKey } = dataDirectory;
  const log = openLog({ ...settings, LOG_FILE: undefined }, [
    serverKey.value,
    difyInnerApiKey.value,
    formerServerKey ?? '',
    ...secretValues(settings),
  ]);
  for (const { variables, message } of settings.warnings) log.warn({ variables }, message);
  process.stdout.on('error', () => undefined);
  // Whoever has time takes the next connection: a worker that hangs or has died gets none, and none waits for it.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // The same build, also after an upgrade in place.
  const exec = fileURLToPath(siblingModule('./main', import.meta.url));
  cluster.setupPrimary({ exec, args: [], serialization: 'advanced', silent: true });
  // What the start leaves behind is given back: nobody waits for this process.
  const heap = new QuietHeap({ isBusy: () => false });
  let forget: () => void = () => undefined;
  const primary = new Primary({
    count: settings.WORKERS,
    start: () => startWorker(given),
    log,
    keys: usesRedis(settings) ? undefined : new KeyFile(debuggingKeysFile(dataDirectory.path)),
    onServing: (facts) => {
      forget = writeAddressFile(dataDirectory.path, { http: facts.address, debugging: facts.debuggingAddress });
      if (!starting.signal.aborted) tellOfWorkers(facts, settings, dataDirectory, log);
    },
  });
  spreadLastNet({
    log,
    onEscape: () => undefined,
    stop: async () => primary.kill(),
    exit: (code) => process.exit(code),
  });
  const limitMs = (settings.SHUTDOWN_BALANCER_SECONDS + settings.SHUTDOWN_DRAIN_SECONDS) * 1000;
  const ended = primary.run();
  signals.started(
    {
      log,
      openCalls: 0,
      stop: async (drained) => {
        primary.stop();
        drained.addEventListener('abort', () => primary.stop(), { once: true });
        setTimeout(() => primary.kill(), limitMs + LEAVE_MS).unref();
        await ended;
      },
    },
    limitMs,
  );
  // The workers' lines pass through here for as long as they run.
  releaseAfterStart();
  const code = await ended;
  heap.close();
  forget();
  dataDirectory.close();
  log.close();
  process.exit(code);
}

function tellOfWorkers(
  facts: WorkerFacts,
  settings: Settings,
  dataDirectory: DataDirectory,
  log: ReturnType<typeof openLog>,
): void {
  tell({ ...facts, dataDirectory, log }, settings, Math.round(process.uptime() * 1000), { workers: settings.WORKERS });
}

function startWorker(environment: NodeJS.ProcessEnv): WorkerProcess {
  const { process: child } = cluster.fork({ ...environment, [WORKER_VARIABLE]: VERSION });
  relay(child.stdout, process.stdout);
  relay(child.stderr, process.stderr);
  const exited = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => ({
    code: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
  }));
  return {
    pid: child.pid,
    exited,
    kill: (signal) => void child.kill(signal),
    wire: {
      send(message) {
        // That it is gone is told by the end of its channel.
        if (child.connected) child.send(message, () => undefined);
      },
      onMessage: (listener) => void child.on('message', listener),
      onClosed: (listener) => void child.once('disconnect', listener),
    },
  };
}

/** Whole lines, so that those of two workers do not meet. */
function relay(from: Readable | null, to: NodeJS.WriteStream): void {
  if (from !== null) createInterface({ input: from, crlfDelay: 0 }).on('line', (line) => to.write(`${line}\n`));
}
