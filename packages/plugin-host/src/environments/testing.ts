/** For the tests of this folder: a package made of files, a log that keeps what it is told, and environments on a real disk. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openPackage, writeZip } from '@plugin-daemon/plugin-package';
import { createProcessLauncher, type ProcessLauncher } from '../launcher/index.ts';
import type { EnvironmentLog, PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import { PythonEnvironments } from './python-environments.ts';

/** uv and interpreters that tests had to fetch stay here between runs. */
const TOOLS = join(import.meta.dirname, '../../../../node_modules/.cache/plugin-daemon-tools');

export function packageOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return writeZip(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) })));
}

export interface Bench {
  readonly workingPath: string;
  readonly toolsDirectory: string;
  readonly launcher: ProcessLauncher;
  readonly logged: { level: string; fields: object; message: string }[];
  open(options?: Partial<PythonEnvironmentsOptions>): PythonEnvironments;
  /** Prepares a plugin of these files; the identifier is made from its checksum. */
  prepare(
    environments: PythonEnvironments,
    files: Readonly<Record<string, string | Uint8Array>>,
    request?: Partial<PrepareRequest> & { version?: string },
  ): ReturnType<PythonEnvironments['prepare']>;
  identifier(files: Readonly<Record<string, string | Uint8Array>>, version?: string): string;
  readonly progress: string[];
  close(): Promise<void>;
}

/** @param existing the working path of another process's bench */
export function bench(existing?: string): Bench {
  const root = existing === undefined ? mkdtempSync(join(tmpdir(), 'environments-')) : dirname(existing);
  const workingPath = existing ?? join(root, 'cwd');
  mkdirSync(workingPath, { recursive: true });
  const launcher = createProcessLauncher();
  const opened: PythonEnvironments[] = [];
  const logged: Bench['logged'] = [];
  const progress: string[] = [];
  const level = (name: string) => (fields: object, message: string) =>
    void logged.push({ level: name, fields, message });
  const log = { debug: level('debug'), info: level('info'), warn: level('warn') } as EnvironmentLog; // pino's overloads are not used here
  const identifier = (files: Readonly<Record<string, string | Uint8Array>>, version = '0.0.1') =>
    `tests/plugin:${version}@${openPackage(packageOf(files)).checksum()}`;
  return {
    workingPath,
    toolsDirectory: TOOLS,
    launcher,
    logged,
    progress,
    identifier,
    open(options = {}) {
      const environments = new PythonEnvironments({
        workingPath,
        toolsDirectory: TOOLS,
        launcher,
        log,
        environment: process.env,
        pythonInterpreterPath: '/usr/bin/python3',
        inactivitySeconds: 120,
        compileAllExtraArgs: '',
        extraArgs: '',
        verbose: true,
        ignoreLock: false,
        mirror: { url: undefined, autoDetect: true, candidates: [], timeoutSeconds: 5 },
        proxies: { http: process.env.HTTP_PROXY, https: process.env.HTTPS_PROXY, no: process.env.NO_PROXY },
        ...options,
      });
      opened.push(environments);
      return environments;
    },
    prepare(environments, files, { version, ...request } = {}) {
      return environments.prepare({
        identifier: identifier(files, version),
        readPackage: async () => packageOf(files),
        signal: new AbortController().signal,
        onProgress: (text) => progress.push(text),
        ...request,
      });
    },
    async close() {
      for (const environments of opened) await environments.close();
      await launcher.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
