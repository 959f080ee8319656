import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ByteBudget } from '../../budget/index.ts';
import { LineWriter } from './line-writer.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('lines of one turn leave in one write', async () => {
  const writes: string[] = [];
  const stdin = new Writable({
    writev(chunks, done) {
      writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
      done();
    },
  });
  const writer = new LineWriter(stdin);
  expect(writer.send('one')).toBeUndefined();
  expect(writer.send('two')).toBeUndefined();
  await turn();
  expect(writer.send('three')).toBeUndefined();
  await turn();
  expect(writes).toEqual(['one\ntwo\n', 'three\n']);
});

test('a line in pieces stays one line, whatever else is sent meanwhile', async () => {
  const stdin = new PassThrough({ highWaterMark: 16 });
  const writer = new LineWriter(stdin);
  void writer.send(['{"a":"', Buffer.from('ff'.repeat(100)), 'ü"}']);
  void writer.send('next');
  await turn();
  stdin.end();
  let got = '';
  for await (const part of stdin) got += String(part);
  expect(got).toBe(`{"a":"${'ff'.repeat(100)}ü"}\nnext\n`);
});

test('the bytes of a line in pieces count like those of any other', () => {
  const budget = new ByteBudget({ what: 'lines', total: 1_000_000 });
  const writer = new LineWriter(new PassThrough(), budget.room('a'));
  expect(() => writer.send(['x', Buffer.alloc(1_000_000)])).toThrow(/1000000 bytes/);
});

test('a plugin that reads slowly makes its writers wait until there is room', async () => {
  const stdin = new PassThrough({ highWaterMark: 16 });
  const writer = new LineWriter(stdin);
  const first = writer.send('x'.repeat(100));
  const second = writer.send('y');
  expect(first).toBeInstanceOf(Promise);
  expect(second).toBe(first);
  stdin.resume();
  await first;
  expect(writer.send('z')).toBeUndefined();
});

test('a pipe that closes settles what waits, and takes nothing more', async () => {
  const stdin = new PassThrough({ highWaterMark: 16 });
  stdin.on('error', () => undefined);
  const writer = new LineWriter(stdin);
  const waiting = writer.send('x'.repeat(100));
  stdin.destroy();
  await waiting;
  expect(() => writer.send('more')).toThrow('plugin instance stopped');
});

test('a plugin that does not read at all is refused new lines at 256 MiB, and nothing is lost before', () => {
  const taken: Buffer[] = [];
  const stdin = new Writable({ write: (chunk) => void taken.push(chunk) });
  const writer = new LineWriter(stdin);
  const line = 'x'.repeat(32 * 1024 * 1024);
  let sent = 0;
  expect(() => {
    for (; sent < 20; sent++) void writer.send(line);
  }).toThrow(/does not read its input: \d+ bytes wait/);
  expect(sent).toBeGreaterThanOrEqual(8);
  expect(sent).toBeLessThan(12);
});

test('what waits is counted while it waits, and beyond the budget of all plugins refused', async () => {
  const budget = new ByteBudget({ what: 'lines that wait', total: 1_000_000 });
  const first = new PassThrough({ highWaterMark: 16 });
  const writer = new LineWriter(first, budget.room('a'));
  for (let n = 0; n < 9; n++) void writer.send('x'.repeat(100_000));
  await turn();
  const other = new LineWriter(new PassThrough({ highWaterMark: 16 }), budget.room('b'));
  expect(budget.used).toBeGreaterThan(800_000);
  expect(() => other.send('y'.repeat(300_000))).toThrow(/lines that wait of all together may hold 1000000 bytes/);
  const drained = writer.send('z');
  first.resume();
  await drained;
  expect(budget.used).toBe(0);
  void other.send('y'.repeat(300_000));
});
