/**
 * What a start needs, tried without starting: settings, data directory, storage, database, uv, Python and package index. Leaves
 * nothing behind that was not there, and a daemon that runs on the same directory in peace.
 */
import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import {
  type DataDirectory,
  type Environment,
  loadSettings,
  openDataDirectory,
  type Settings,
  SettingsError,
  secretValues,
} from '../config/index.ts';
import { probeDatabase } from '../database/index.ts';
import { objectKey } from '../storage/index.ts';
import { readFilePolicies } from '../supervision/index.ts';
import { SecretFilter, silentLog } from '../telemetry/index.ts';
import { databaseOptions } from './database.ts';
import { openObjects } from './drivers.ts';
import { sriClient } from './functions.ts';
import { pythonEnvironments } from './local-plugins.ts';
import { newId } from './new-id.ts';

export interface Finding {
  readonly part: string;
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  readonly remedy?: string;
}

const workersFinding = (count: number, cores: number): Finding =>
  count <= cores
    ? { part: 'workers', verdict: 'ok', detail: `${count}, of ${cores} cores` }
    : {
        part: 'workers',
        verdict: 'warning',
        detail: `WORKERS=${count} is more than the ${cores} cores that this daemon may use`,
        remedy: 'set WORKERS=auto: further workers take memory and do nothing faster',
      };

/** @param environment what the process was started with */
export async function* checkDaemon(environment: Environment, cwd: string): AsyncGenerator<Finding> {
  let settings: Settings;
  try {
    settings = loadSettings(environment, { cwd });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const { variable, value, problem, remedy } of error.problems)
      yield {
        part: 'settings',
        verdict: 'failed',
        detail: `${value === '' ? variable : `${variable}=${value}`} ${problem}`,
        remedy,
      };
    return;
  }
  for (const { variables, message } of settings.warnings)
    yield { part: 'settings', verdict: 'warning', detail: `${variables.join(', ')}: ${message}` };
  yield { part: 'settings', verdict: 'ok', detail: `${settings.configured.size} set, all understood` };
  if (settings.WORKERS > 1) yield workersFinding(settings.WORKERS, availableParallelism());

  const isNew = !existsSync(settings.DATA_DIR);
  const filter = new SecretFilter(secretValues(settings));
  let directory: DataDirectory | undefined;
  try {
    directory = openDataDirectory(settings);
    yield { part: 'data directory', verdict: 'ok', detail: settings.DATA_DIR };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const inUse = error.problems.some(({ problem }) => problem.includes('in use by another daemon'));
    const [first] = error.problems;
    yield {
      part: 'data directory',
      verdict: inUse ? 'warning' : 'failed',
      detail: `${first?.variable}=${first?.value} ${first?.problem}`,
      ...(first !== undefined && { remedy: first.remedy }),
    };
    if (!inUse) return;
  }
  try {
    for await (const finding of checkParts(settings, directory, environment))
      yield { ...finding, detail: filter.cleanText(finding.detail) };
  } finally {
    directory?.close();
    if (isNew) rmSync(settings.DATA_DIR, { recursive: true, force: true });
  }
}

/** How long the connector may take to answer, in ms. */
const CONNECTOR_MS = 10_000;

async function* checkParts(
  settings: Settings,
  directory: DataDirectory | undefined,
  environment: Environment,
): AsyncGenerator<Finding> {
  yield await tried('storage', async () => {
    const objects = await openObjects(settings, newId());
    // A colon stands in the names of plugins, and not every file system takes it.
    const key = objectKey('.check', `${newId()}:probe`);
    await objects.write(key, Buffer.from('probe'));
    const read = (await objects.read(key))?.toString();
    await objects.delete(key);
    if (read !== 'probe') throw new Error('what was written could not be read again');
    return `${objects.type} storage takes, gives and deletes`;
  });
  if (directory === undefined && settings.DB_TYPE === 'sqlite')
    yield { part: 'database', verdict: 'skipped', detail: 'the daemon that runs on this directory uses it' };
  else {
    const databaseFile = directory?.databaseFile ?? '';
    yield await tried('database', () => probeDatabase(databaseOptions(settings, { databaseFile })));
  }

  if (existsSync(settings.PLUGIN_POLICY_FILE))
    yield await tried('plugin policies', async () => {
      const policies = readFilePolicies(await readFile(settings.PLUGIN_POLICY_FILE, 'utf8'));
      return `${settings.PLUGIN_POLICY_FILE} says something of ${policies.size} plugins`;
    });

  if (settings.PLATFORM === 'serverless') {
    const sri = sriClient(settings);
    try {
      yield await tried('connector', async () => {
        await sri.ping(AbortSignal.timeout(CONNECTOR_MS));
        return 'the serverless connector answers';
      });
    } finally {
      await sri.close();
    }
    // Nothing is built here.
    return;
  }
  const launcher = createProcessLauncher({
    python: settings.PYTHON_INTERPRETER_PATH,
    ...(environment.PATH !== undefined && { searchPath: environment.PATH }),
    onFallback: () => undefined,
  });
  const toolsPath = directory?.toolsPath ?? settings.PLUGIN_WORKING_PATH;
  const environments = pythonEnvironments({ settings, environment, toolsPath, log: silentLog, launcher });
  try {
    const { uv, python, index } = await environments.diagnose(new AbortController().signal);
    yield found('uv', uv);
    yield found('Python', python);
    yield found(
      'package index',
      index,
      'Check network, proxies and SSL_CERT_FILE, or name another index in PIP_MIRROR_URL',
    );
  } finally {
    await environments.close();
    await launcher.close();
  }
}

async function tried(part: string, attempt: () => Promise<string>): Promise<Finding> {
  try {
    return found(part, await attempt());
  } catch (error) {
    return found(part, error instanceof Error ? error : new Error(String(error)));
  }
}

function found(part: string, result: string | Error, otherwise?: string): Finding {
  if (typeof result === 'string') return { part, verdict: 'ok', detail: result };
  const own = result instanceof DaemonError || 'remedy' in result ? result.remedy : undefined;
  const remedy = typeof own === 'string' ? own : otherwise;
  return { part, verdict: 'failed', detail: result.message, ...(remedy !== undefined && { remedy }) };
}
