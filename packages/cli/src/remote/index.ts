/**
 * Commands that talk to a running daemon: install, upgrade, uninstall, list, logs, key. Owns where the daemon is found and what
 * its refusals mean to an author; all HTTP is the typed client's. Called by the command table.
 */
import type { Handler } from '../command.ts';

export const COMMANDS = {
  install: async () => ({ run: (await import('./install.ts')).install }),
  upgrade: async () => ({ run: (await import('./install.ts')).upgrade }),
  uninstall: () => import('./uninstall.ts'),
  list: () => import('./list.ts'),
  logs: () => import('./logs.ts'),
  key: () => import('./key.ts'),
} as const satisfies Readonly<Record<string, () => Promise<{ run: Handler }>>>;
