/** Where functions run, as the settings say. */
import { createHash } from 'node:crypto';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Isolation } from '@plugin-daemon/plugin-host/isolation';
import type { ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { pluginEnvironment } from '@plugin-daemon/plugin-host/runtimes/local';
import { type Settings, type SriDirectory, secretSettings } from '../config/index.ts';
import { type Backend, ContainerBackend, ProcessBackend } from '../sri/index.ts';
import { limitsOfPlugins } from './isolation.ts';
import { proxies } from './local-plugins.ts';

const GRACE_MS = 2000;

export interface FunctionBackendParts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: SriDirectory;
  readonly launcher: ProcessLauncher;
  readonly cages: Isolation;
  readonly log: Log;
}

/** @throws DaemonError when a setting is missing that the back end needs */
export function functionBackend({
  settings,
  environment,
  directory,
  launcher,
  cages,
  log,
}: FunctionBackendParts): Backend {
  const common = {
    environment: pluginEnvironment(environment, {
      proxies: proxies(settings),
      passthrough: settings.PLUGIN_ENV_PASSTHROUGH,
      secrets: secretSettings,
      inheritAll: settings.PLUGIN_ENV_INHERIT_ALL,
    }),
    daemonUrl: settings.SRI_DAEMON_URL,
    egress: settings.SRI_EGRESS,
    timeoutSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT,
    readySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
    graceMs: GRACE_MS,
    log,
  };
  switch (settings.SRI_BACKEND) {
    case 'process':
      return new ProcessBackend({ ...common, launcher, cages: cages.plugins });
    case 'container': {
      const image = settings.SRI_CONTAINER_IMAGE;
      if (image === undefined)
        throw new DaemonError('internal', 'SRI_BACKEND=container needs SRI_CONTAINER_IMAGE', {
          remedy: 'Name the image that functions run in; docs/sri.md says what it has to have',
        });
      return new ContainerBackend({
        ...common,
        environment: withoutOwnPlaces(common.environment),
        image,
        socketPath: settings.SRI_CONTAINER_SOCKET,
        network: settings.SRI_CONTAINER_NETWORK,
        owner: createHash('sha256').update(directory.path).digest('hex').slice(0, 16),
        user: containerUser(settings),
        openForUser: (path) => openForOthers(launcher, path),
        limits: limitsOfPlugins(settings),
        readable: settings.PLUGIN_READABLE_PATHS,
      });
    }
  }
}

function containerUser(settings: Settings): { readonly uid: number; readonly gid: number } {
  const uid = process.geteuid?.() ?? 0;
  const asSet = uid === 0 || settings.configured.has('SRI_CONTAINER_USER');
  return asSet ? settings.SRI_CONTAINER_USER : { uid, gid: process.getegid?.() ?? uid };
}

/** What is true of this machine and not of an image. */
const OF_THIS_MACHINE = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LD_LIBRARY_PATH',
  'XDG_CACHE_HOME',
  'XDG_RUNTIME_DIR',
]);

const withoutOwnPlaces = (environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_THIS_MACHINE.has(name)));

/** Others may read what was built: in a container the function sees its own directory alone, and here nobody gets past its parents. */
async function openForOthers(launcher: ProcessLauncher, path: string): Promise<void> {
  const tool = await launcher.launch({
    command: '/bin/chmod',
    args: ['-R', 'go+rX', '--', path],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  tool.stdout.resume();
  tool.stderr.resume();
  const { code } = await tool.exited;
  if (code !== 0) throw new Error(`${path} could not be made readable for functions (chmod: exit code ${code})`);
}
