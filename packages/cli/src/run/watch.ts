/** Changes of a plugin's files, gathered until they pause; what the package leaves out is not watched. */
import { relative, sep } from 'node:path';
import { watch } from 'chokidar';
import { compileRule, DEFAULT_EXCLUDES, ignoredBy } from '../source/ignore.ts';

const QUIET_MS = 150;
/** Never worth a restart, besides what never belongs into a package. */
const UNWATCHED = ['*.swp', '*.tmp', 'sed??????', '*~', '.#*', '4913', '*.log', '*.md', 'tests/'];

export interface Watching {
  close(): Promise<void>;
}

/** Calls `onChange` with the changed paths, never twice at the same time. */
export function watchFolder(root: string, onChange: (paths: string[]) => Promise<void>): Watching {
  // .env names the Dify to connect to: a change of it matters.
  const rules = [...DEFAULT_EXCLUDES, ...UNWATCHED].map((pattern) => compileRule(pattern, 'default'));
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let closed = false;
  const flush = async (): Promise<void> => {
    timer = undefined;
    if (busy || closed || changed.size === 0) return;
    busy = true;
    const paths = [...changed];
    changed.clear();
    try {
      await onChange(paths);
    } finally {
      busy = false;
      if (changed.size > 0) schedule();
    }
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), QUIET_MS);
  };
  const watcher = watch(root, {
    ignoreInitial: true,
    ignored: (path, stats) => {
      const below = relative(root, path);
      return below !== '' && ignoredBy(rules, below.split(sep), stats?.isDirectory() ?? false) !== undefined;
    },
  });
  watcher.on('all', (_event, path) => {
    changed.add(relative(root, path).replaceAll('\\', '/'));
    schedule();
  });
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
