/** What the runtime of a plugin logs, for an author: what the plugin said, and what there is to say of it. */
import type { Log } from '@plugin-daemon/plugin-host/log';
import { messageOf } from '@plugin-daemon/values';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Of which plugin it is needs not be said: there is one. */
type Fields = Readonly<Record<string, unknown>>;

/** A log whose lines are a level and a text. What the plugin wrote to stderr has the level `stderr`. */
export function plainLog(write: (level: string, message: string) => void): Log {
  const method = (level: Level) => (first: object | string, message?: string) => {
    if (typeof first === 'string') return write(level, first);
    const { plugin: _plugin, pid: _pid, source, error, ...facts }: Fields = { ...first };
    const text = message ?? '';
    switch (source) {
      case 'stderr':
        return write('stderr', text);
      case 'stdout':
        // The manifest the SDK prints first is nobody's news.
        return text.startsWith('{"version"') ? undefined : write('info', text);
      case 'error event':
        return write('error', text);
      default: {
        const more = Object.entries(facts).map(([name, value]) => `${name.replaceAll('_', ' ')} ${String(value)}`);
        if (error !== undefined) more.push(messageOf(error));
        return write(level, more.length === 0 ? text : `${text} (${more.join(', ')})`);
      }
    }
  };
  const log: Log = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: () => log,
    isLevelEnabled: () => true,
  };
  return log;
}
