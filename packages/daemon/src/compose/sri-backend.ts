/** Where functions run, as the settings say. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Isolation } from '@plugin-daemon/plugin-host/isolation';
import type { ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import type { Log } from '@plugin-daemon/plugin-host/log';
import type { ParentsPool } from '@plugin-daemon/plugin-host/prefork';
import type { Settings, SriDirectory } from '../config/index.ts';
import {
  type Backend,
  ContainerBackend,
  type KubernetesApiOptions,
  KubernetesBackend,
  ProcessBackend,
  type SessionSecrets,
} from '../sri/index.ts';
import { limitsOfPlugins } from './isolation.ts';

const GRACE_MS = 2000;

export interface FunctionBackendParts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: SriDirectory;
  readonly launcher: ProcessLauncher;
  readonly cages: Isolation;
  /** What functions may see of the environment of this server. */
  readonly pluginVariables: Readonly<Record<string, string>>;
  readonly parents: ParentsPool | undefined;
  readonly secrets: SessionSecrets;
  readonly log: Log;
}

/** @throws DaemonError when a setting is missing that the back end needs */
export function functionBackend(parts: FunctionBackendParts): Backend {
  const { settings, launcher, cages, log } = parts;
  const common = {
    environment: parts.pluginVariables,
    daemonUrl: settings.SRI_DAEMON_URL,
    egress: settings.SRI_EGRESS,
    secrets: parts.secrets,
    timeoutSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT,
    readySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
    graceMs: GRACE_MS,
    log,
  };
  switch (settings.SRI_BACKEND) {
    case 'process':
      return new ProcessBackend({ ...common, launcher, cages: cages.plugins, parents: parts.parents });
    case 'container':
      return new ContainerBackend({
        ...common,
        ...inImage(parts, common.environment),
        socketPath: settings.SRI_CONTAINER_SOCKET,
        network: settings.SRI_CONTAINER_NETWORK,
        readable: settings.PLUGIN_READABLE_PATHS,
      });
    case 'kubernetes': {
      if (settings.SRI_EGRESS !== 'all' && settings.SRI_KUBERNETES_WAY_OUT === undefined)
        throw missing('SRI_KUBERNETES_WAY_OUT', 'Set it to where pods reach this server, or SRI_EGRESS=all');
      return new KubernetesBackend({
        ...common,
        ...inImage(parts, common.environment),
        api: clusterOf(settings, parts.environment),
        claim: needed(settings.SRI_KUBERNETES_CLAIM, 'SRI_KUBERNETES_CLAIM', 'Name the volume that holds SRI_DATA_DIR'),
        dataDirectory: parts.directory.path,
        toolsPath: parts.directory.toolsPath,
        wayOutUrl: settings.SRI_KUBERNETES_WAY_OUT,
      });
    }
  }
}

/** What back ends need that run functions in an image. */
const inImage = (
  { settings, directory, launcher }: FunctionBackendParts,
  environment: Readonly<Record<string, string>>,
) => ({
  environment: withoutOwnPlaces(environment),
  image: needed(
    settings.SRI_CONTAINER_IMAGE,
    'SRI_CONTAINER_IMAGE',
    'Name the image that functions run in; docs/sri.md says what it has to have',
  ),
  owner: createHash('sha256').update(directory.path).digest('hex').slice(0, 16),
  user: containerUser(settings),
  openForUser: (path: string) => openForOthers(launcher, path),
  limits: limitsOfPlugins(settings),
});

/** Where the cluster is: as set, else as clusters tell their pods. */
function clusterOf(settings: Settings, environment: FunctionBackendParts['environment']): KubernetesApiOptions {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  const told = host === undefined ? undefined : `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = needed(
    settings.SRI_KUBERNETES_API ?? told,
    'SRI_KUBERNETES_API',
    'Name the API server: this is no pod of a cluster',
  );
  const existing = (path: string) => (existsSync(path) ? path : undefined);
  return {
    url,
    tokenFile: existing(settings.SRI_KUBERNETES_TOKEN_FILE),
    caFile: existing(settings.SRI_KUBERNETES_CA_FILE),
    namespace: settings.SRI_KUBERNETES_NAMESPACE ?? ownNamespace() ?? 'default',
  };
}

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
const ownNamespace = (): string | undefined =>
  existsSync(NAMESPACE_FILE) ? readFileSync(NAMESPACE_FILE, 'utf8').trim() : undefined;

const missing = (setting: string, remedy: string): DaemonError =>
  new DaemonError('internal', `this back end needs ${setting}`, { remedy });

function needed(value: string | undefined, setting: string, remedy: string): string {
  if (value === undefined) throw missing(setting, remedy);
  return value;
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
