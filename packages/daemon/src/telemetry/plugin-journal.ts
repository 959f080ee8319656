import type { Log } from '@plugin-daemon/plugin-host/log';

export type JournalLevel = 'debug' | 'info' | 'warn' | 'error';

/** A line about a plugin: what it said, or what happened to it. */
export interface JournalLine {
  /** ISO 8601. */
  readonly time: string;
  readonly level: JournalLevel;
  /** `log`, `stdout`, `stderr`: the plugin's own words; `daemon`: what happened to it. */
  readonly source: string;
  /** `author/name:version@checksum` */
  readonly plugin_unique_identifier: string;
  readonly message: string;
}

/** What a reader may see, and how much of what was said before. */
export interface JournalQuery {
  /** `author/name` */
  readonly pluginId: string;
  /** Lines of debugging connections are their tenant's alone. */
  readonly tenantId: string;
}

export interface PluginJournalLimits {
  /** Lines of one plugin. */
  readonly lines: number;
  /** Characters of all messages of one plugin. */
  readonly characters: number;
  /** Characters of all messages of all plugins: the plugin that was silent longest is forgotten first. */
  readonly totalCharacters: number;
  /** Characters of one message; the rest is cut. */
  readonly messageCharacters: number;
  /** Lines a follower may be behind before the oldest of them are dropped. */
  readonly behind: number;
  readonly followers: number;
}

export const JOURNAL_LIMITS: PluginJournalLimits = {
  lines: 1000,
  characters: 256 * 1024,
  totalCharacters: 8 * 1024 * 1024,
  messageCharacters: 4096,
  behind: 1000,
  followers: 32,
};

interface Entry {
  readonly line: JournalLine;
  readonly tenantId: string | undefined;
}

interface Kept {
  entries: Entry[];
  characters: number;
}

/** The lines one reader has not fetched yet. */
class Follower {
  readonly query: JournalQuery;
  readonly #behind: number;
  readonly #waiting: JournalLine[] = [];
  #dropped = 0;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  constructor(query: JournalQuery, behind: number) {
    this.query = query;
    this.#behind = behind;
  }

  push(line: JournalLine): void {
    if (this.#waiting.push(line) > this.#behind) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *lines(): AsyncGenerator<JournalLine, void> {
    while (!this.#ended || this.#waiting.length > 0) {
      const line = this.#waiting.shift();
      if (line === undefined) {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
        continue;
      }
      if (this.#dropped > 0) {
        yield { ...line, level: 'warn', source: 'daemon', message: `${this.#dropped} lines were lost: read faster` };
        this.#dropped = 0;
      }
      yield line;
    }
  }
}

/** Lines that every start has and nobody looks for: the manifest that the SDK prints. */
const isNoise = (level: JournalLevel, source: string): boolean => level === 'debug' && source === 'stdout';

/**
 * The last lines of every plugin in memory, for authors who have no access to the daemon's log; with followers. It listens to
 * logs: whatever is logged with a field `plugin` is a line of that plugin.
 */
export class PluginJournal {
  readonly #clean: (text: string) => string;
  readonly #limits: PluginJournalLimits;
  /** By plugin id, the one that spoke last at the end. */
  readonly #kept = new Map<string, Kept>();
  readonly #followers = new Set<Follower>();
  #characters = 0;
  #closed = false;

  /** @param clean takes the daemon's secrets out of a text */
  constructor(clean: (text: string) => string, limits: PluginJournalLimits = JOURNAL_LIMITS) {
    this.#clean = clean;
    this.#limits = limits;
  }

  /** The same log, listened to. */
  listeningTo(log: Log, bound: object = {}): Log {
    const method = (level: JournalLevel) => {
      return (first: object | string, second?: string): void => {
        if (typeof first === 'string') log[level](first);
        else log[level](first, second ?? '');
        this.#hear(level, typeof first === 'string' ? bound : { ...bound, ...first }, second ?? String(first));
      };
    };
    return {
      debug: method('debug'),
      info: method('info'),
      warn: method('warn'),
      error: method('error'),
      child: (fields) => this.listeningTo(log.child(fields), { ...bound, ...fields }),
      isLevelEnabled: (level) => log.isLevelEnabled(level),
    };
  }

  /** The last lines of a plugin, oldest first. */
  lines(query: JournalQuery, count: number): readonly JournalLine[] {
    const entries = this.#kept.get(query.pluginId)?.entries ?? [];
    const seen = entries.filter((entry) => isSeen(entry, query)).map((entry) => entry.line);
    return count <= 0 ? [] : seen.slice(-count);
  }

  /**
   * Lines from now on, until the signal aborts or the journal closes. Whoever asks aborts the signal when it leaves.
   * @throws RangeError when too many follow already
   */
  follow(query: JournalQuery, signal: AbortSignal): AsyncIterable<JournalLine> {
    if (this.#followers.size >= this.#limits.followers)
      throw new RangeError(`${this.#limits.followers} readers follow plugin logs already`);
    const follower = new Follower(query, this.#limits.behind);
    if (this.#closed || signal.aborted) follower.end();
    else {
      this.#followers.add(follower);
      const leave = () => {
        this.#followers.delete(follower);
        follower.end();
      };
      signal.addEventListener('abort', leave, { once: true });
    }
    return follower.lines();
  }

  /** Ends everybody who follows. */
  close(): void {
    this.#closed = true;
    for (const follower of this.#followers) follower.end();
  }

  #hear(level: JournalLevel, fields: object, message: string): void {
    if (!('plugin' in fields) || typeof fields.plugin !== 'string') return;
    const source = 'source' in fields && typeof fields.source === 'string' ? fields.source : 'daemon';
    if (isNoise(level, source)) return;
    const { plugin } = fields;
    const reason = 'error' in fields && typeof fields.error === 'string' ? `: ${fields.error}` : '';
    const text = this.#clean(message + reason);
    const limit = this.#limits.messageCharacters;
    const line: JournalLine = {
      time: new Date().toISOString(),
      level,
      source,
      plugin_unique_identifier: plugin,
      message: text.length > limit ? `${text.slice(0, limit)}… (${text.length - limit} more characters)` : text,
    };
    const tenantId = 'tenant_id' in fields && typeof fields.tenant_id === 'string' ? fields.tenant_id : undefined;
    this.#keep(pluginIdOf(plugin), { line, tenantId });
  }

  #keep(pluginId: string, entry: Entry): void {
    const kept = this.#kept.get(pluginId) ?? { entries: [], characters: 0 };
    // To the end: it spoke last.
    this.#kept.delete(pluginId);
    this.#kept.set(pluginId, kept);
    kept.entries.push(entry);
    this.#count(kept, costOf(entry));
    while (kept.entries.length > this.#limits.lines || kept.characters > this.#limits.characters) {
      const oldest = kept.entries.shift();
      if (oldest === undefined) break;
      this.#count(kept, -costOf(oldest));
    }
    for (const [id, other] of this.#kept) {
      if (this.#characters <= this.#limits.totalCharacters || id === pluginId) break;
      this.#count(other, -other.characters);
      this.#kept.delete(id);
    }
    for (const follower of this.#followers)
      if (follower.query.pluginId === pluginId && isSeen(entry, follower.query)) follower.push(entry.line);
  }

  #count(kept: Kept, characters: number): void {
    kept.characters += characters;
    this.#characters += characters;
  }
}

/** An entry without text takes room as well. */
const ENTRY_COST = 200;
const costOf = ({ line }: Entry): number => line.message.length + line.plugin_unique_identifier.length + ENTRY_COST;

const isSeen = (entry: Entry, query: JournalQuery): boolean =>
  entry.tenantId === undefined || entry.tenantId === query.tenantId;

/** `author/name` of `author/name:version@checksum`. */
function pluginIdOf(identifier: string): string {
  const end = identifier.indexOf(':');
  return end < 0 ? identifier : identifier.slice(0, end);
}
