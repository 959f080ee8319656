/**
 * Puts right what is wrong in old releases of the plugin SDK, once per environment and by the version that is installed.
 * Called by the environment's construction; failures are logged and never fatal, as an unpatched SDK still works.
 */
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentLog } from '../options.ts';
import { AMENDMENTS, type Amendment } from './amendments.ts';
import { compareVersions } from './version.ts';

export interface SdkState {
  /** Version of the installed SDK; null when the environment has none. */
  readonly sdk: string | null;
  /** The modules that were amended. */
  readonly patched: readonly string[];
}

const LARGEST_MODULE = 1024 * 1024;
const MARK = '# --- amended by the plugin daemon ---';

/** Another one whenever something is amended otherwise. */
export const AMENDMENTS_VERSION = createHash('sha256').update(JSON.stringify(AMENDMENTS)).digest('hex').slice(0, 16);

/** The modules that are to be amended in a release. */
export const amendedModules = (sdk: string | null): string[] => amendmentsOf(sdk).map(({ file }) => file);

function amendmentsOf(sdk: string | null): readonly Amendment[] {
  if (sdk === null) return [];
  return AMENDMENTS.filter(
    ({ since, before }) =>
      (compareVersions(sdk, before) ?? 0) < 0 && (since === undefined || (compareVersions(sdk, since) ?? -1) >= 0),
  );
}

/** @param sitePackages of the environment */
export async function patchSdk(sitePackages: string, log: EnvironmentLog): Promise<SdkState> {
  const sdk = await installedSdk(sitePackages);
  const patched: string[] = [];
  for (const { file, reason, python } of amendmentsOf(sdk)) {
    const path = join(sitePackages, 'dify_plugin', file);
    try {
      // What calls itself the SDK may be anything: a package chooses its dependencies.
      const { size, mode } = await stat(path);
      if (size > LARGEST_MODULE) throw new Error(`${file} is larger than ${LARGEST_MODULE} bytes`);
      const text = await readFile(path, 'utf8');
      if (!text.includes(MARK)) {
        // A new file in the old one's place: the old one is shared with uv's cache and with other environments.
        const temporary = `${path}.${process.pid}`;
        await writeFile(temporary, `${text.trimEnd()}\n\n\n${MARK}\n# ${reason}\n${python}`);
        // Plugins with users of their own read it, whatever the daemon's umask is.
        await chmod(temporary, mode & 0o777);
        await rename(temporary, path);
      }
      patched.push(file);
      log.info({ sdk, file, reason }, 'amended an old SDK');
    } catch (error) {
      log.warn({ sdk, file, err: error }, 'failed to find the patch file: an old SDK stays as it is');
    }
  }
  return { sdk, patched };
}

async function installedSdk(sitePackages: string): Promise<string | null> {
  const names = await readdir(sitePackages).catch(() => []);
  for (const name of names) {
    const version = /^dify_plugin-([^-]+)\.dist-info$/i.exec(name)?.[1];
    if (version !== undefined) return version;
  }
  return null;
}
