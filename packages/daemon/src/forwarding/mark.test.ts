import { expect, test } from 'vitest';
import { NodeMarks, nodeKeys } from './index.ts';

const mark = { to: 'b', via: ['a'], secure: true, awaitsSign: false };
let now = 1_800_000_000_000;
const of = (...keys: (string | undefined)[]) => new NodeMarks(nodeKeys(keys), () => now);
const signed = (marks: NodeMarks) => marks.sign(mark, 'POST', '/x?y').header;

test('a mark is read by who has the key, for the request it was made for', () => {
  const header = signed(of('k'));
  expect(of('k').read(header, 'POST', '/x?y')).toMatchObject({ ...mark });
  expect(of('other').read(header, 'POST', '/x?y')).toBe('foreign');
  expect(of('k').read(header, 'GET', '/x?y')).toBe('foreign');
  expect(of('k').read(header, 'POST', '/x?z')).toBe('foreign');
});

test('while a key is changed, nodes that have only one of both know each other', () => {
  const [before, between, after] = [of('old'), of('new', 'old'), of('new')];
  for (const other of [before, after]) {
    expect(other.read(signed(between), 'POST', '/x?y')).toMatchObject(mark);
    expect(between.read(signed(other), 'POST', '/x?y')).toMatchObject(mark);
  }
  expect(after.read(signed(before), 'POST', '/x?y')).toBe('foreign');
});

test('clocks a minute apart do no harm; an old mark is of no use', () => {
  const header = signed(of('k'));
  now += 60_000;
  expect(of('k').read(header, 'POST', '/x?y')).toMatchObject(mark);
  now -= 120_000;
  expect(of('k').read(header, 'POST', '/x?y')).toMatchObject(mark);
  now += 3_600_000;
  expect(of('k').read(header, 'POST', '/x?y')).toBe('expired');
});

test.each(['', '1', '1;b;a;0;s;', ';;;;;', `1;b;a;${Number.MAX_SAFE_INTEGER};;x`, '1;b;a;NaN;;x', 'x'.repeat(100_000)])(
  'what is no mark is none: %.20s',
  (header) => expect(of('k').read(header, 'POST', '/x?y')).toBe('foreign'),
);

test('whatever is changed in a mark, it is none any more', () => {
  const header = signed(of('k'));
  for (let index = 0; index < header.length; index++) {
    const changed = `${header.slice(0, index)}${header[index] === 'a' ? 'b' : 'a'}${header.slice(index + 1)}`;
    if (Buffer.from(changed).equals(Buffer.from(header))) continue;
    expect(of('k').read(changed, 'POST', '/x?y')).toBe('foreign');
  }
});

test('only who has read the mark can refuse the call', () => {
  const marks = of('k');
  const { header, proof } = marks.sign(mark, 'POST', '/x?y');
  const read = marks.read(header, 'POST', '/x?y');
  if (typeof read === 'string') throw new Error(read);
  expect(marks.readRefusal(marks.refuse('draining', read.proof), proof)).toBe('draining');
  expect(marks.readRefusal('draining', proof)).toBeUndefined();
  expect(marks.readRefusal('draining;x', proof)).toBeUndefined();
  expect(marks.readRefusal(of('other').refuse('draining', proof), proof)).toBeUndefined();
  expect(marks.readRefusal(marks.refuse('draining', 'another call'), proof)).toBeUndefined();
  expect(marks.readRefusal(['draining'], proof)).toBeUndefined();
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['fe80::1%eth0s', 'fe80::1'],
  ['', undefined],
  ['nobody', undefined],
  ['10.0.0.1;s@1', undefined],
])('the address of a client goes along, if it is one: %s', (client, read) => {
  const { header } = of('k').sign({ ...mark, secure: false, client }, 'POST', '/x?y');
  expect(of('k').read(header, 'POST', '/x?y')).toMatchObject({ client: read, secure: false, awaitsSign: false });
});

test('a mark serves like calls for some seconds, and then another takes its place; neither is good for another request', () => {
  const [sender, receiver] = [of('k'), of('k')];
  now = 1_800_000_000_000;
  const first = signed(sender);
  now += 4_999;
  expect(signed(sender)).toBe(first);
  expect(receiver.read(first, 'POST', '/x?y')).toMatchObject(mark);
  expect(receiver.read(first, 'POST', '/x?y')).toMatchObject(mark);
  now += 1;
  expect(signed(sender)).not.toBe(first);
  // That its codes are known already does not make it good for more, or for longer.
  expect(receiver.read(first, 'POST', '/x?z')).toBe('foreign');
  expect(receiver.read(`${first.slice(0, -1)}_`, 'POST', '/x?y')).toBe('foreign');
  now += 300_000;
  expect(receiver.read(first, 'POST', '/x?y')).toBe('expired');
});

test('more requests than codes are kept of, and longer ones, are read all the same', () => {
  const [sender, receiver] = [of('k'), of('k')];
  for (const length of [1, 2000])
    for (let n = 0; n < 1200; n++) {
      const target = `/${n % 600}/${'x'.repeat(length)}`;
      const { header } = sender.sign(mark, 'GET', target);
      expect(receiver.read(header, 'GET', target)).toMatchObject(mark);
      expect(receiver.read(header, 'GET', `${target}/`)).toBe('foreign');
    }
});
