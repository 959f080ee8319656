/** The unpacked plugins of local mode: found below the folder by identifier, fetched from the marketplace when missing. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isUniqueIdentifier,
  openDirectory,
  openPackage,
  type PackageArchive,
  PackageError,
  type PluginDeclaration,
  verifySignature,
} from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import { messageOf } from '@plugin-daemon/values';
import { EnvHttpProxyAgent, fetch } from 'undici';
import type { LocalConfig } from './config.ts';
import type { LineSink } from './json-lines.ts';
import { SlimError, truncate } from './slim-error.ts';

const DOWNLOAD_MS = 60_000;
const MAX_PACKAGE = 15 * 1024 * 1024;
const SHOWN_BODY = 1024;

/** `acme/demo:1.0.0@abc` lies in `acme/demo-1.0.0@abc`: callers read the files there themselves. */
export function pluginDirectory(folder: string, id: string): string {
  return join(folder, ...id.replaceAll(':', '-').split('/'));
}

function decode(directory: string): PluginDeclaration | undefined {
  if (!existsSync(join(directory, 'manifest.yaml'))) return undefined;
  try {
    return openDirectory(directory).assemble().declaration;
  } catch (error) {
    if (error instanceof PackageError) return undefined;
    throw error;
  }
}

async function download(config: LocalConfig, id: string): Promise<Uint8Array> {
  const url = `${config.marketplaceUrl}/api/v1/plugins/download?unique_identifier=${encodeURIComponent(id)}`;
  const dispatcher = new EnvHttpProxyAgent();
  try {
    const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (response.status === 404) throw new SlimError('PLUGIN_NOT_FOUND', `plugin ${id} not found on the marketplace`);
    if (response.status !== 200)
      throw new SlimError(
        'PLUGIN_DOWNLOAD_ERROR',
        `status ${response.status}: ${truncate(await response.text(), SHOWN_BODY)}`,
      );
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      if (length > MAX_PACKAGE)
        throw new SlimError('PLUGIN_PACKAGE_TOO_LARGE', `the package is larger than ${MAX_PACKAGE} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof SlimError) throw error;
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new SlimError('PLUGIN_DOWNLOAD_TIMEOUT', 'the marketplace did not answer within 60 seconds', error);
    throw new SlimError(
      'PLUGIN_DOWNLOAD_ERROR',
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error),
      error,
    );
  } finally {
    await dispatcher.destroy();
  }
}

/** The declaration of an unpacked plugin, fetched first when it is not there. */
export async function obtainPlugin(
  config: LocalConfig,
  id: string,
  sink: LineSink | undefined,
  verify = false,
): Promise<{ directory: string; declaration: PluginDeclaration }> {
  // A folder filled by hand may carry any name; one that leaves the folder is never right.
  if (
    id.startsWith('/') ||
    id.includes('\\') ||
    id.split('/').some((part) => part === '..' || part === '.' || part === '')
  )
    throw new SlimError('INVALID_INPUT', `plugin_unique_identifier is not valid: ${id}`);
  const directory = pluginDirectory(config.folder, id);
  const known = decode(directory);
  if (known !== undefined) return { directory, declaration: known };
  if (!isUniqueIdentifier(id)) throw new SlimError('INVALID_INPUT', `plugin_unique_identifier is not valid: ${id}`);
  await sink?.send('message', { stage: 'download', message: `downloading plugin ${id} from marketplace` });
  const bytes = await download(config, id);
  let archive: PackageArchive;
  let declaration: PluginDeclaration;
  try {
    archive = openPackage(bytes);
    declaration = assembleDeclaration(archive).declaration;
  } catch (error) {
    throw new SlimError('PLUGIN_PACKAGE_INVALID', messageOf(error), error);
  }
  const author = declaration.author === '' ? '' : `${declaration.author}/`;
  const got = `${author}${declaration.name}:${declaration.version}@${archive.checksum()}`;
  if (got !== id) throw new SlimError('PLUGIN_PACKAGE_INVALID', `the marketplace sent ${got} instead of ${id}`);
  if (verify) {
    const verdict = verifySignature(archive);
    if (verdict.state !== 'verified')
      throw new SlimError(
        'PLUGIN_PACKAGE_INVALID',
        `the package of ${id} carries no valid signature: ${verdict.state}`,
      );
  }
  try {
    await mkdir(dirname(directory), { recursive: true });
    archive.extractTo(directory);
  } catch (error) {
    throw new SlimError('PLUGIN_EXTRACT_ERROR', messageOf(error), error);
  }
  await sink?.send('message', { stage: 'download', message: 'plugin downloaded and extracted' });
  return { directory, declaration };
}
