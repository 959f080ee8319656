import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installer } from './installer.ts';
import type { PythonProvider } from './python-provider.ts';

/** What installing needs, asked for real. Each is what was found, or the error that says what to do. */
export interface EnvironmentDiagnosis {
  readonly uv: string | Error;
  readonly python: string | Error;
  readonly index: string | Error;
}

const INDEX_SECONDS = 60;
/** What every plugin needs of an index. */
const ASKED_FOR = 'dify-plugin';

/** Finds (or fetches) uv and Python as an installation would, and lets uv ask its index. */
export async function diagnose(
  parts: { readonly installer: Installer; readonly pythons: PythonProvider; readonly workingPath: string },
  mirrorUrl: string | undefined,
  signal: AbortSignal,
): Promise<EnvironmentDiagnosis> {
  const { installer, pythons } = parts;
  const uv = await settled(installer.locate(signal));
  if (uv instanceof Error)
    return { uv, python: await pythonOf(pythons, signal), index: new Error('not asked: uv is missing') };
  return { uv, python: await pythonOf(pythons, signal), index: await settled(askIndex(parts, mirrorUrl, signal)) };
}

const pythonOf = (pythons: PythonProvider, signal: AbortSignal): Promise<string | Error> =>
  settled(
    pythons
      .choose({ runnerVersion: undefined, ranges: [], tried: [] }, { signal, onProgress: () => undefined })
      .then(({ path, version }) => `${version.join('.')} (${path})`),
  );

async function askIndex(
  { installer, workingPath }: { readonly installer: Installer; readonly workingPath: string },
  mirrorUrl: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const cwd = await mkdtemp(join(workingPath, '.check-'));
  try {
    await writeFile(join(cwd, 'requirements.in'), `${ASKED_FOR}\n`);
    const index = mirrorUrl === undefined ? [] : ['--default-index', mirrorUrl];
    const args = ['pip', 'compile', 'requirements.in', '--no-deps', '--quiet', '--no-header', '--no-annotate'];
    const result = await installer.uv({
      // Asked and not remembered: the answer of yesterday says nothing about the index of today.
      args: [...args, '--no-config', '--python-version', '3.12', '--refresh', ...index],
      cwd,
      signal,
      timeoutSeconds: INDEX_SECONDS,
      variables: { UV_HTTP_RETRIES: '0' },
    });
    if (!result.ok)
      throw new Error(`${result.status}: ${result.stderr.trim().split('\n').slice(-4).join(' ').slice(0, 1000)}`);
    return result.stdout.trim();
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

const settled = <T>(asked: Promise<T>): Promise<T | Error> =>
  asked.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
