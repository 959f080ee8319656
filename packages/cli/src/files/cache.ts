/** Where the command line keeps what it may fetch or build again: environments, uv, interpreters. Never the user's data. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** DIFY_CLI_CACHE_DIR, else the place the operating system has for caches. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  if (env.DIFY_CLI_CACHE_DIR !== undefined && env.DIFY_CLI_CACHE_DIR !== '') return env.DIFY_CLI_CACHE_DIR;
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'dify-plugin-cli', 'cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'dify-plugin-cli');
  return join(
    env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== '' ? env.XDG_CACHE_HOME : join(homedir(), '.cache'),
    'dify-plugin-cli',
  );
}
