import type { Plugin } from './call.ts';

/** What was counted since the last time it was taken. */
export interface Counts {
  /** Calls that came in. */
  calls: number;
  /** A node took them. */
  placed: number;
  refused: number;
  answered: number;
  /** A node had begun them, and nobody hears how they ended. */
  lost: number;
  /** Placed on another node than they came in at. */
  forwarded: number;
  /** Handed to a node that did not take them; tried elsewhere. */
  failedHops: number;
  /** Processes of plugins. */
  starts: number;
  /** Plugins that ran nowhere and start on another node than last time. */
  moves: number;
  /** Plugins that start on a node while they run on another one. */
  spreads: number;
}

const nothing = (): Counts => ({
  calls: 0,
  placed: 0,
  refused: 0,
  answered: 0,
  lost: 0,
  forwarded: 0,
  failedHops: 0,
  starts: 0,
  moves: 0,
  spreads: 0,
});

/** Counts what happens. */
export class Happened {
  #counts = nothing();
  /** Where plugins that moved came from. */
  #movedFrom = new Map<string, number>();

  count(what: keyof Counts): void {
    this.#counts[what]++;
  }

  /** An instance starts; to be told before the node is among the plugin's homes. */
  started({ homes, last }: Plugin, id: string): void {
    this.count('starts');
    if (homes.has(id)) return;
    if (homes.size > 0) this.count('spreads');
    else if (last !== undefined && last !== id) {
      this.count('moves');
      this.#movedFrom.set(last, (this.#movedFrom.get(last) ?? 0) + 1);
    }
  }

  /** What was counted, and begins anew. */
  take(): { readonly counts: Counts; readonly movedFrom: ReadonlyMap<string, number> } {
    const taken = { counts: this.#counts, movedFrom: this.#movedFrom };
    this.#counts = nothing();
    this.#movedFrom = new Map();
    return taken;
  }
}
