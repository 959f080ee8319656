import { afterEach, expect, test } from 'vitest';
import type { Member } from '../../nodes/index.ts';
import { type NodeLine, OtherJournals, type OtherJournalsOptions } from './other-journals.ts';
import { FROM_NOW_ON } from './told-lines.ts';

/** A node that tells what it is given to tell. */
class FakeNode {
  readonly member: Member;
  /** How many lines it was asked for. */
  readonly asked: number[] = [];
  #kept: string[] = [];
  #listener: ((text: string | Error | undefined) => void) | undefined;
  refuses = false;

  constructor(name: string) {
    this.member = {
      ...{ id: `id-of-${name}`, name, version: '1', role: 'all', state: 'serving', addresses: [], tls: false },
      ...{ cores: 1, debugging: [], warm: new Set(), load: 0, foreign: false },
    };
  }

  say(time: number, message: string): void {
    const line = { time: new Date(time).toISOString(), level: 'info', source: 'log', message };
    const event = `data: ${JSON.stringify({ code: 0, data: { ...line, plugin_unique_identifier: 'a/b:1@c' } })}\n\n`;
    this.#kept.push(event);
    this.#listener?.(event);
  }

  /** The connection ends, with an error if it is one. */
  end(error?: Error): void {
    this.#listener?.(error);
  }

  get listenedTo(): boolean {
    return this.#listener !== undefined;
  }

  async *tell(lines: number, follow: boolean, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.asked.push(lines);
    const waiting: (string | Error | undefined)[] = [];
    let wake = Promise.withResolvers<void>();
    const hear = (text: string | Error | undefined): void => {
      waiting.push(text);
      wake.resolve();
    };
    this.#listener = hear;
    signal.addEventListener('abort', () => hear(new Error('aborted')), { once: true });
    try {
      for (const event of this.#kept.slice(-lines)) yield Buffer.from(event);
      if (!follow) return;
      yield Buffer.from(FROM_NOW_ON);
      for (;;) {
        if (waiting.length === 0) await wake.promise;
        wake = Promise.withResolvers();
        for (const next of waiting.splice(0)) {
          if (next instanceof Error) throw next;
          if (next === undefined) return;
          yield Buffer.from(next);
        }
      }
    } finally {
      this.#listener = undefined;
    }
  }
}

const ending = new AbortController();
let leaving = new AbortController();
afterEach(() => {
  leaving.abort();
  leaving = new AbortController();
});

function journalsOf(nodes: FakeNode[], more: Partial<OtherJournalsOptions> = {}) {
  const silent: string[] = [];
  const journals = new OtherJournals({
    nodes: {
      others: () => nodes.map(({ member }) => member),
      listen: async (member, question, signal) => {
        const node = nodes.find((one) => one.member === member);
        if (node === undefined || node.refuses) throw new Error('it does not answer');
        return { status: 200, body: node.tell(Number(question.target), more.follow === true, signal) };
      },
      onSilent: ({ name }) => silent.push(name),
    },
    question: (lines) => ({ method: 'GET', target: String(lines), headers: {}, client: '' }),
    lines: 10,
    follow: false,
    signal: leaving.signal,
    note: (node, message) => ({
      ...{ time: new Date(0).toISOString(), level: 'warn', source: 'daemon', plugin_unique_identifier: '' },
      ...{ node, message },
    }),
    lookMs: 5,
    ...more,
  });
  return { journals, silent };
}

/** What was written, to be waited for. */
function page() {
  const lines: NodeLine[] = [];
  let change = Promise.withResolvers<void>();
  return {
    write: async (line: NodeLine) => {
      lines.push(line);
      change.resolve();
    },
    async until(message: string): Promise<readonly string[]> {
      while (!lines.some((line) => line.message.includes(message))) {
        await change.promise;
        change = Promise.withResolvers();
      }
      return lines.map((line) => `${line.node}: ${line.message}`);
    },
  };
}

test('the past of every node is told with its name, and who does not tell is named once', async () => {
  const [one, two, three] = [new FakeNode('one'), new FakeNode('two'), new FakeNode('three')];
  one.say(1, 'a');
  two.say(2, 'b');
  three.refuses = true;
  const { journals, silent } = journalsOf([one, two, three]);
  const { lines, silent: named } = await journals.past();
  expect(lines.map(({ node, message }) => [node, message])).toEqual([
    ['one', 'a'],
    ['two', 'b'],
  ]);
  expect([named, silent]).toEqual([['three'], ['three']]);
  expect([one.listenedTo, two.listenedTo]).toEqual([false, false]);
});

test('what a node said before it was asked for nothing is not told when it is heard again', async () => {
  const one = new FakeNode('one');
  one.say(1, 'long ago');
  const { journals } = journalsOf([one], { follow: true, lines: 0 });
  expect((await journals.past()).lines).toEqual([]);
  const { write, until } = page();
  const following = journals.follow(write);
  one.say(2, 'live');
  await until('live');
  one.end(new Error('cut'));
  one.say(3, 'missed');
  expect(await until('missed')).toEqual(['one: live', 'one: is not heard any more', 'one: missed']);
  one.say(4, 'again');
  await until('again');
  leaving.abort();
  await following;
  expect(one.listenedTo).toBe(false);
});

test('a node that comes while others are followed is followed too, and one that leaves is left', async () => {
  const nodes = [new FakeNode('one')];
  const { journals } = journalsOf(nodes, { follow: true });
  await journals.past();
  const { write, until } = page();
  const following = journals.follow(write);
  const two = new FakeNode('two');
  two.say(1, 'of the new one');
  nodes.push(two);
  await until('of the new one');
  two.say(2, 'it goes on');
  await until('it goes on');
  nodes.pop();
  while (two.listenedTo) await new Promise(setImmediate);
  nodes[0]?.say(3, 'the first one');
  expect(await until('the first one')).not.toContain('two: is not heard any more');
  leaving.abort();
  await following;
});

test('a reader that fails ends it all', async () => {
  const one = new FakeNode('one');
  const { journals } = journalsOf([one], { follow: true });
  await journals.past();
  const following = journals.follow(async () => {
    throw new Error('the reader has gone');
  });
  one.say(1, 'a');
  await expect(following).rejects.toThrow('the reader has gone');
  expect(one.listenedTo).toBe(false);
});

test('nobody is waited for when the reader has left', async () => {
  ending.abort();
  const { journals, silent } = journalsOf([new FakeNode('one')], { follow: true, signal: ending.signal });
  await journals.past();
  await journals.follow(async () => undefined);
  expect(silent).toEqual([]);
});
