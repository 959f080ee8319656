/** What a plugin said on the other nodes: each of them is asked what this one is asked, and tells what it has itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@plugin-daemon/values';
import type { Question } from '../../forwarding/index.ts';
import type { Member } from '../../nodes/index.ts';
import type { JournalLine } from '../../telemetry/index.ts';
import type { NodeCalls } from '../handover.ts';
import { type Told, toldLines } from './told-lines.ts';

/** A line, and the node that has it. */
export type NodeLine = JournalLine & { readonly node: string };

export interface OtherJournalsOptions {
  readonly nodes: Pick<NodeCalls, 'others' | 'listen' | 'onSilent'>;
  /** @param lines how many of the last ones are asked for */
  readonly question: (lines: number) => Question;
  readonly lines: number;
  readonly follow: boolean;
  /** Nobody wants to hear any more. */
  readonly signal: AbortSignal;
  /** A line that says what became of a node. */
  readonly note: (node: string, message: string) => NodeLine;
  /** How often it is looked who came and went, in ms. */
  readonly lookMs?: number;
}

/** A node has so long to tell what it has, in ms. */
const PAST_MS = 3000;
const LOOK_MS = 2000;
/** Lines of one node at a time: of one that is heard again, what it said meanwhile. */
const MOST_LINES = 1000;

/** A node that is listened to, behind what it had. */
interface Source {
  readonly member: Member;
  readonly told: Told;
  readonly leave: AbortController;
  /** What it says is passed on; undefined until that begins. */
  passing: Promise<void> | undefined;
}

/** Workers of one daemon are told apart. */
const nameOf = ({ place, name }: Member): string => place ?? name;

export class OtherJournals {
  readonly #options: OtherJournalsOptions;
  readonly #sources = new Map<string, Source>();
  /** The time of the last line of each: what a node that is heard again said until then is known. */
  readonly #heardUntil = new Map<string, string>();
  /** Who did not tell, and was named for it. */
  readonly #silent = new Set<string>();

  constructor(options: OtherJournalsOptions) {
    this.#options = options;
  }

  /** The last lines of all the others, and the names of those that did not tell theirs. Never rejects. */
  async past(): Promise<{ readonly lines: readonly NodeLine[]; readonly silent: readonly string[] }> {
    const { nodes, lines: wanted } = this.#options;
    const members = nodes.others();
    // Who is asked for none still has to say when it spoke last.
    const told = await Promise.all(members.map((member) => this.#open(member, Math.max(wanted, 1))));
    const lines = wanted === 0 ? [] : told.flatMap((each) => each ?? []);
    return { lines, silent: members.filter((_, index) => told[index] === undefined).map(nameOf) };
  }

  /** Passes on what the others say from now on, whoever comes and goes, until the signal aborts. @throws what `write` throws */
  async follow(write: (line: NodeLine) => Promise<void>): Promise<void> {
    const { nodes, signal, lookMs = LOOK_MS } = this.#options;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    try {
      while (!signal.aborted) {
        for (const source of this.#sources.values()) {
          source.passing ??= this.#pass(source, write);
          source.passing.catch(failed.reject);
        }
        await Promise.race([pause(lookMs, undefined, { signal }), failed.promise]);
        const members = nodes.others();
        for (const { member, leave } of this.#sources.values())
          if (!members.some(({ id }) => id === member.id)) leave.abort(new Error('it has left'));
        for (const member of members) if (!this.#sources.has(member.id)) await this.#hearAgain(member, write);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      const sources = [...this.#sources.values()];
      for (const { leave } of sources) leave.abort(new Error('nobody listens any more'));
      await Promise.allSettled(sources.map(({ passing }) => passing));
    }
  }

  /** One that came, or was not heard for a while. */
  async #hearAgain(member: Member, write: (line: NodeLine) => Promise<void>): Promise<void> {
    const known = this.#silent.has(member.id);
    const missed = await this.#open(member, MOST_LINES);
    for (const line of missed ?? []) await write(line);
    if (missed === undefined && !known) await write(this.#options.note(nameOf(member), 'is not heard'));
  }

  async #pass({ member, told, leave }: Source, write: (line: NodeLine) => Promise<void>): Promise<void> {
    try {
      for (;;) {
        const next = await told.next().catch((error: unknown) => this.#lost(member, leave.signal, error));
        if (next === undefined) {
          if (!leave.signal.aborted) await write(this.#options.note(nameOf(member), 'is not heard any more'));
          return;
        }
        if (next.done === true) return;
        if (next.value !== 'from now on') await write(this.#named(member, next.value));
      }
    } finally {
      this.#sources.delete(member.id);
      leave.abort(new Error('it is not listened to any more'));
      await told.return();
    }
  }

  /** Asks a node. @returns what it said since it was heard last; undefined when it does not tell */
  async #open(member: Member, lines: number): Promise<readonly NodeLine[] | undefined> {
    const { nodes, question, signal, follow } = this.#options;
    const leave = new AbortController();
    const late = setTimeout(() => leave.abort(new Error('it did not tell what it has in time')), PAST_MS);
    const giveUp = AbortSignal.any([signal, leave.signal]);
    const since = this.#heardUntil.get(member.id) ?? '';
    try {
      const { status, body } = await nodes.listen(member, question(lines), giveUp);
      if (status !== 200) throw new Error(`it answered ${status}`);
      const told = toldLines(body);
      const past: NodeLine[] = [];
      let next = await told.next();
      for (; next.done !== true && next.value !== 'from now on'; next = await told.next()) {
        if (next.value.time > since && past.push(this.#named(member, next.value)) > MOST_LINES) past.shift();
      }
      this.#silent.delete(member.id);
      if (follow && next.done !== true) this.#sources.set(member.id, { member, told, leave, passing: undefined });
      else leave.abort(new Error('it has told what it was asked'));
      return past;
    } catch (error) {
      leave.abort(error);
      this.#lost(member, signal, error);
      return undefined;
    } finally {
      clearTimeout(late);
    }
  }

  #named(member: Member, line: JournalLine): NodeLine {
    this.#heardUntil.set(member.id, line.time);
    return { ...line, node: nameOf(member) };
  }

  /** It is named once, until it is heard again. @param wanted aborted when that is as it should be */
  #lost(member: Member, wanted: AbortSignal, error: unknown): undefined {
    if (wanted.aborted || this.#silent.has(member.id)) return;
    this.#silent.add(member.id);
    this.#options.nodes.onSilent(member, messageOf(error));
  }
}
