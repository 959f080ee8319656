/** The questions of `plugin init` on a real pseudo-terminal, which Python opens for us. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './harness.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

/** Types each key when the text before it has appeared; prints what the terminal showed, then `EXIT <code>`. */
const DRIVER = `
import fcntl, json, os, pty, re, select, struct, sys, termios, time
steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
shown, start, deadline = "", 0, time.time() + 60
def read():
    global shown
    if not select.select([fd], [], [], 0.1)[0]: return True
    try: data = os.read(fd, 65536)
    except OSError: return False
    shown += re.sub(r"\\x1b\\[[0-9;?]*[a-zA-Z]", "", data.decode(errors="replace"))
    return len(data) > 0
for wanted, keys in steps:
    while wanted not in shown[start:] and time.time() < deadline:
        if not read(): break
    start = len(shown)
    time.sleep(0.15)
    os.write(fd, keys.encode())
while time.time() < deadline and read(): pass
print(shown)
print("EXIT", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const python = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import pty']).status === 0);
if (python === undefined) console.info('skipped: tests of the questions need Python for a pseudo-terminal');

type Step = readonly [shown: string, keys: string];

function onTerminal(cwd: string, steps: readonly Step[]): Promise<{ shown: string; code: number }> {
  const child = spawn(
    python ?? 'python3',
    ['-c', DRIVER, JSON.stringify(steps), process.execPath, MAIN, 'plugin', 'init'],
    { cwd, env: { ...process.env, TERM: 'xterm' } },
  );
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  return new Promise((resolve) => {
    child.on('close', () => resolve({ shown: text, code: Number(/EXIT (-?\d+)\s*$/.exec(text)?.[1] ?? Number.NaN) }));
  });
}

const ENTER = '\r';
const ESCAPE = '\x1b';
const DOWN = '\x1b[B';
const REST: readonly Step[] = [
  ['Author', `acme${ENTER}`],
  ['Description', `does things${ENTER}`],
  ['Repository', ENTER],
  ['Readmes in other', ENTER],
];

test.skipIf(python === undefined)('every question has a default, the answers become a plugin', async () => {
  const cwd = temporaryFolder();
  const { shown, code } = await onTerminal(cwd, [
    ['Plugin name', `wiz${ENTER}`],
    ...REST,
    ['What kind', DOWN + ENTER],
    ['What may', ENTER],
    ['Oldest Dify', ENTER],
  ]);
  expect(code, shown).toBe(0);
  const manifest = readFileSync(join(cwd, 'wiz', 'manifest.yaml'), 'utf8');
  expect(manifest).toContain('author: acme');
  expect(manifest).toContain('agent_strategies:');
  expect(manifest).toContain('llm: true');
  expect(manifest).toContain('minimum_dify_version: null');
});

test.skipIf(python === undefined)(
  'a broken rule is shown while typing, Escape goes back, Ctrl-C leaves nothing',
  async () => {
    const cwd = temporaryFolder();
    const { shown, code } = await onTerminal(cwd, [
      ['Plugin name', 'Bad'],
      ['can only contain lowercase', `\x7f\x7f\x7fgood${ENTER}`],
      ['Author', ESCAPE],
      ['Plugin name', `2${ENTER}`],
      ['good2', `acme${ENTER}`],
      ['Description', '\x03'],
    ]);
    expect(code, shown).toBe(130);
    expect(shown).toContain('good2');
    expect(readdirSync(cwd)).toEqual([]);
  },
);
