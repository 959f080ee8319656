/** uv and the Pythons for one command: found as the daemon finds them, what has to be fetched is kept in the cache folder. */
import { join } from 'node:path';
import { EnvironmentError, MachineTools } from '@plugin-daemon/plugin-host/environments';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { CliError, interrupted } from '../errors.ts';
import { cacheDirectory } from '../files/cache.ts';

export interface ToolsRequest {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** uv executable from --uv. */
  uv?: string | undefined;
  /** Path of an interpreter from --python. */
  python?: string | undefined;
}

/** Where uv and interpreters go that had to be fetched. */
export const toolsDirectory = (env: NodeJS.ProcessEnv): string => join(cacheDirectory(env), 'tools');

export async function withTools<T>(request: ToolsRequest, work: (tools: MachineTools) => Promise<T>): Promise<T> {
  const { env, signal, uv, python } = request;
  const launcher = createProcessLauncher();
  const tools = new MachineTools(
    {
      launcher,
      environment: env,
      log: { debug() {}, info() {}, warn() {} },
      proxies: { http: env.HTTP_PROXY, https: env.HTTPS_PROXY, no: env.NO_PROXY },
      pythonInterpreterPath: python ?? env.PYTHON_INTERPRETER_PATH ?? '',
      toolsDirectory: toolsDirectory(env),
      uvPath: uv ?? env.UV_PATH,
    },
    signal,
  );
  try {
    return await work(tools);
  } catch (error) {
    if (signal.aborted) throw interrupted();
    if (error instanceof EnvironmentError)
      throw new CliError('no-uv', error.message.replace(/\nfailed to init environment$/, ''), {
        cause: error,
        ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      });
    throw error;
  } finally {
    await launcher.close();
  }
}

export interface ToolPaths {
  uv: string;
  /** An interpreter for uv to work with: its own search gives up at the shim of a version manager. */
  python: string | undefined;
}

/** uv, fetched where there is none, and an interpreter. @throws CliError `no-uv` with what was tried */
export const locateTools = (request: ToolsRequest): Promise<ToolPaths> =>
  withTools(request, async (tools) => ({
    uv: await tools.uv(request.signal),
    python: (await tools.pythons(request.signal))[0]?.path,
  }));

/** The environment uv runs in: that of the command, without downloads of interpreters nobody has asked for. */
export const uvEnvironment = (env: NodeJS.ProcessEnv, python: string | undefined): NodeJS.ProcessEnv => ({
  ...(python === undefined ? {} : { UV_PYTHON: python }),
  UV_PYTHON_DOWNLOADS: 'never',
  ...env,
});
