/** Configuration of slim: a JSON file, which then is everything, or SLIM_… variables (docs/wire/cli.md#configuration). */

import { isObject, messageOf } from '@plugin-daemon/values';
import { readNamedFileSync } from '../files/read.ts';
import { SlimError } from './slim-error.ts';

export interface LocalConfig {
  folder: string;
  pythonPath: string;
  uvPath: string;
  /** Seconds without installer output. */
  initTimeout: number;
  /** Seconds. */
  executionTimeout: number;
  pipMirrorUrl: string;
  pipExtraArgs: string;
  marketplaceUrl: string;
  ignoreUvLock: boolean;
}

export interface RemoteConfig {
  address: string;
  key: string;
}

export type SlimConfig = { mode: 'local'; local: LocalConfig } | { mode: 'remote'; remote: RemoteConfig };

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];

type Look = (fileKey: string, variable: string) => unknown;

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

/** 0 and what is no number mean the default. */
function seconds(value: unknown, fallback: number): number {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : 0;
  return Number.isInteger(number) && number > 0 ? number : fallback;
}

function lookIn(env: NodeJS.ProcessEnv, file: string | undefined): Look {
  if (file === undefined || file === '') return (_key, variable) => env[variable];
  let value: unknown;
  try {
    value = JSON.parse(readNamedFileSync(file).toString('utf8'));
  } catch (error) {
    throw new SlimError('CONFIG_LOAD_ERROR', messageOf(error), error);
  }
  if (!isObject(value)) throw new SlimError('CONFIG_LOAD_ERROR', 'the configuration file holds no object');
  const root = value;
  return (key) => {
    const [group = '', name] = key.split('.');
    const found = root[group];
    return name === undefined ? found : isObject(found) ? found[name] : undefined;
  };
}

export interface Needs {
  /** Extraction from a path needs no folder. */
  folder: boolean;
}

export function loadConfig(env: NodeJS.ProcessEnv, file: string | undefined, needs: Needs): SlimConfig {
  const look = lookIn(env, file);
  const mode = text(look('mode', 'SLIM_MODE'), 'remote');
  if (mode === 'local') {
    const ignore = look('local.ignore_uv_lock', 'SLIM_IGNORE_UV_LOCK');
    const local: LocalConfig = {
      folder: text(look('local.folder', 'SLIM_FOLDER'), ''),
      pythonPath: text(look('local.python_path', 'SLIM_PYTHON_PATH'), 'python3'),
      uvPath: text(look('local.uv_path', 'SLIM_UV_PATH'), ''),
      initTimeout: seconds(look('local.python_env_init_timeout', 'SLIM_PYTHON_ENV_INIT_TIMEOUT'), 120),
      executionTimeout: seconds(look('local.max_execution_timeout', 'SLIM_MAX_EXECUTION_TIMEOUT'), 600),
      pipMirrorUrl: text(look('local.pip_mirror_url', 'SLIM_PIP_MIRROR_URL'), ''),
      pipExtraArgs: text(look('local.pip_extra_args', 'SLIM_PIP_EXTRA_ARGS'), ''),
      marketplaceUrl: text(
        look('local.marketplace_url', 'SLIM_MARKETPLACE_URL'),
        'https://marketplace.dify.ai',
      ).replace(/(?<!\/)\/+$/, ''),
      ignoreUvLock: ignore === true || (typeof ignore === 'string' && TRUE.includes(ignore)),
    };
    if (needs.folder && local.folder === '') throw new SlimError('CONFIG_INVALID', 'local.folder is required');
    return { mode, local };
  }
  if (mode === 'remote') {
    const remote = {
      address: text(look('remote.daemon_addr', 'SLIM_DAEMON_ADDR'), '').replace(/(?<!\/)\/+$/, ''),
      key: text(look('remote.daemon_key', 'SLIM_DAEMON_KEY'), ''),
    };
    if (remote.address === '') throw new SlimError('CONFIG_INVALID', 'remote.daemon_addr is required');
    if (remote.key === '') throw new SlimError('CONFIG_INVALID', 'remote.daemon_key is required');
    return { mode, remote };
  }
  throw new SlimError('UNKNOWN_MODE', `unknown mode: ${mode}`);
}
