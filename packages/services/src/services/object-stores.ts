import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { executable } from '../executables.ts';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';
import type { RunningService, ServiceContext } from '../service.ts';

/** Any answer is one: emulators differ in what they say to strangers. */
const answers = (url: string) => async (): Promise<void> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
};

interface Emulator {
  readonly name: string;
  readonly variable: string;
  readonly command: (port: number, directory: string) => readonly [string, ...string[]];
  readonly url: (port: number) => string;
}

const emulators = {
  /** S3, strict: checks signatures, pages as S3 does. */
  versitygw: {
    name: 'versitygw',
    variable: 'TEST_S3_URL',
    command: (port, directory) => {
      mkdirSync(join(directory, 'buckets'));
      const keys = ['--access', 'app', '--secret', 'secret'];
      return [executable('versitygw'), '--port', `127.0.0.1:${port}`, ...keys, 'posix', join(directory, 'buckets')];
    },
    url: (port) => `http://app:secret@127.0.0.1:${port}`,
  },
  /** S3 and more of AWS; takes any secret. */
  moto: {
    name: 'moto',
    variable: 'TEST_MOTO_URL',
    command: (port) => [executable('moto_server'), '-H', '127.0.0.1', '-p', String(port)],
    url: (port) => `http://app:secret@127.0.0.1:${port}`,
  },
  azurite: {
    name: 'azurite',
    variable: 'TEST_AZURITE_URL',
    command: (port) => [
      executable('azurite-blob'),
      ...['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobHost', '127.0.0.1', '--blobPort', String(port)],
    ],
    url: (port) => `http://127.0.0.1:${port}`,
  },
  gcs: {
    name: 'gcp-storage-emulator',
    variable: 'TEST_GCS_URL',
    command: (port) => [
      executable('gcp-storage-emulator'),
      ...['start', '--host=127.0.0.1', `--port=${port}`, '--in-memory', '--default-bucket=app'],
    ],
    url: (port) => `http://127.0.0.1:${port}`,
  },
} as const satisfies Record<string, Emulator>;

/** An emulator of an object store, empty. */
export const startEmulator =
  (which: keyof typeof emulators) =>
  async ({ directory }: ServiceContext): Promise<RunningService> => {
    const emulator: Emulator = emulators[which];
    const port = await reservePort();
    const url = emulator.url(port);
    const process = new ServerProcess({
      name: emulator.name,
      command: emulator.command(port, directory),
      logFile: join(directory, 'log'),
      ask: answers(`http://127.0.0.1:${port}/`),
      stopSignal: 'SIGTERM',
    });
    await process.start();
    return { processes: [process], port, environment: { [emulator.variable]: url } };
  };
