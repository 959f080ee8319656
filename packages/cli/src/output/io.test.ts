import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test, vi } from 'vitest';
import { Io } from './io.ts';
import { startProgress } from './progress.ts';

function terminal(isTTY: boolean): { io: Io; shown: () => string } {
  let text = '';
  const stream = (): PassThrough & { isTTY?: boolean } => {
    const made: PassThrough & { isTTY?: boolean } = new PassThrough();
    made.isTTY = isTTY;
    made.on('data', (chunk) => (text += String(chunk)));
    return made;
  };
  const options = { json: false, quiet: false, verbose: false, color: true, input: true };
  const io = new Io(options, { stdin: process.stdin, stdout: stream(), stderr: stream() });
  return { io, shown: () => text };
}

test('at a terminal messages are marked sentences, elsewhere log lines', () => {
  const person = terminal(true);
  person.io.info('plugin created', { name: 'demo' });
  person.io.warn('left out');
  person.io.error('it failed');
  expect(stripVTControlCharacters(person.shown())).toBe('✓ plugin created  name=demo\n! left out\n✗ it failed\n');
  const script = terminal(false);
  script.io.info('plugin created', { name: 'demo' });
  expect(script.shown()).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d INFO plugin created name=demo\n$/);
});

test('a remedy has one form', () => {
  const { io, shown } = terminal(true);
  io.remedy('do this\nor that');
  expect(stripVTControlCharacters(shown())).toBe('  → do this\n    or that\n');
});

const WIPE = '\r\u001b[K';

test('progress is wiped before any other text, and drawn again after it', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const { io, shown } = terminal(true);
    const progress = startProgress(io);
    const tick = (text: string): void => {
      vi.setSystemTime(Date.now() + 2000);
      progress.update(text);
    };
    tick('one');
    io.info('a message');
    tick('two');
    io.note('a note');
    tick('three');
    await io.print('a result\n');
    tick('four');
    progress.end();
    progress.end();
    expect(stripColors(shown())).toBe(
      `${WIPE}one${WIPE}✓ a message\n${WIPE}two${WIPE}a note\n${WIPE}three${WIPE}a result\n${WIPE}four${WIPE}`,
    );
  } finally {
    vi.useRealTimers();
  }
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
const stripColors = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, '');
