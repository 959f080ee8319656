/** `plugin install` and `plugin upgrade`: a package or folder becomes what the tenant has, and that is looked up afterwards. */
import { stat } from 'node:fs/promises';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command.ts';
import { CliError, systemCode } from '../errors.ts';
import { startProgress } from '../output/progress.ts';
import { packFolder } from '../plugin/package.ts';
import { readPackageFile } from '../source/source.ts';
import { installationOf, type RemoteDaemon, withDaemon } from './daemon.ts';

const LOOK_MS = 300;

interface Installed {
  action: 'installed' | 'upgraded' | 'unchanged';
  identifier: string;
  /** What was installed before. */
  previous: string | undefined;
}

/** The bytes of a package file, or of the package a folder gives. */
async function packageBytes(path: string, call: Call): Promise<Uint8Array> {
  const info = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT')
      throw new CliError('not-found', `${path}: no such file or directory`, { file: path, cause: error });
    throw error;
  });
  return info.isDirectory() ? (await packFolder(path, call)).bytes : readPackageFile(path);
}

/** What keeps the daemon from exchanging one version for another. */
function inTheWay(pluginId: string): CliError {
  return new CliError('in-the-way', `${pluginId} is connected for debugging: it cannot be installed meanwhile`, {
    remedy: 'end dify plugin dev, or the program you debug, and try again',
  });
}

async function bring(daemon: RemoteDaemon, bytes: Uint8Array, mustExist: boolean, call: Call): Promise<Installed> {
  const { io, signal } = call;
  const { client } = daemon;
  const progress = startProgress(io);
  try {
    progress.update('uploading');
    const { unique_identifier: identifier } = await client.upload(bytes, { verifySignature: false, signal });
    const { pluginId } = parseUniqueIdentifier(identifier);
    const before = await installationOf(daemon, pluginId, signal);
    if (before === undefined && mustExist)
      throw new CliError('not-installed', `${pluginId} is not installed: there is nothing to upgrade`, {
        remedy: 'dify plugin install installs it; dify plugin list shows what is installed',
      });
    if (before?.identifier === identifier) return { action: 'unchanged', identifier, previous: identifier };
    if (before !== undefined && before.runtime !== 'local') throw inTheWay(pluginId);
    const watch = {
      everyMs: LOOK_MS,
      signal,
      progress: (task: { plugins: readonly { message: string }[] }) => progress.update(task.plugins[0]?.message ?? ''),
    };
    if (before === undefined) await client.install(identifier, watch);
    else {
      const started = await client.call(
        'upgradePlugin',
        {
          body: {
            original_plugin_unique_identifier: before.identifier,
            new_plugin_unique_identifier: identifier,
            source: 'package',
            meta: {},
          },
        },
        { signal },
      );
      if (!started.all_installed) await client.waitForTask(started.task_id, watch);
    }
    // What counts is what the list shows now, not what was answered.
    const after = await installationOf(daemon, pluginId, signal);
    if (after?.identifier !== identifier)
      throw new CliError(
        'not-installed',
        `the daemon reported success, but ${after === undefined ? `${pluginId} is not installed` : `${after.identifier} is still installed`}`,
        { remedy: 'dify plugin logs shows what the plugin said; somebody else may have changed it at this moment' },
      );
    return { action: before === undefined ? 'installed' : 'upgraded', identifier, previous: before?.identifier };
  } finally {
    progress.end();
  }
}

const WORDS = {
  installed: 'plugin installed',
  upgraded: 'plugin upgraded',
  unchanged: 'this very package is installed already',
} as const;

async function runWith(call: Call, mustExist: boolean): Promise<Outcome> {
  // Who is meant is settled before anything is packed.
  return withDaemon(call, async (daemon) => {
    const bytes = await packageBytes(call.args[0] ?? '', call);
    const { action, identifier, previous } = await bring(daemon, bytes, mustExist, call);
    const { pluginId, version } = parseUniqueIdentifier(identifier);
    const from = action === 'upgraded' && previous !== undefined ? { from: shortened(previous) } : {};
    call.io.info(WORDS[action], { plugin: pluginId, ...from, version: shortened(identifier) });
    return {
      text: identifier,
      data: { action, plugin_id: pluginId, version, unique_identifier: identifier, previous: previous ?? null },
    };
  });
}

/** Version and the first of its checksum: what tells a rebuilt package from the one before. */
function shortened(identifier: string): string {
  const { version, checksum } = parseUniqueIdentifier(identifier);
  return `${version}@${checksum.slice(0, 8)}`;
}

export const install = (call: Call): Promise<Outcome> => runWith(call, false);
export const upgrade = (call: Call): Promise<Outcome> => runWith(call, true);
