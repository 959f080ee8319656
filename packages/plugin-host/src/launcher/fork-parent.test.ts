/** Parents without an SDK: what forking itself must leave behind, which is nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { ForkParent } from './fork-parent.ts';
import { HELPER_BODY, HELPER_START } from './helper-script.ts';

const LINUX = process.platform === 'linux';
const FORKS = 300;
const AT_ONCE = 20;
/** Its children say which module they were to be, and end. */
const PROGRAM = `${HELPER_START}${HELPER_BODY}
import sys
sys.stdout.write(chosen["fork"]["entrypoint"] + " " + str(len(os.listdir("/proc/self/fd"))))
sys.stdout.flush()
sys.exit(7)
`;

let parent: ForkParent | undefined;

afterEach(async () => {
  await parent?.close();
  parent = undefined;
});

const open = (program: string, lookMs = 1000, onHung = () => {}) => {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
  return ForkParent.open({ command: 'python3', args: ['-c', program], env, lookMs, onHung });
};

async function child(from: ForkParent, name: string): Promise<string> {
  const spec = { command: '/usr/bin/python3', args: [], cwd: '/', env: {}, cage: {} };
  const { process: launched } = await from.launch(spec, { entrypoint: name, sitePackages: '/nowhere' });
  let said = '';
  launched.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const { code } = await launched.exited;
  await new Promise<void>((resolve) =>
    launched.stdout.readableEnded ? resolve() : launched.stdout.once('close', resolve),
  );
  return `${said.split(' ')[0]} ${code}`;
}

const childrenOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

test.skipIf(!LINUX)(
  'hundreds of forks leave no process and no descriptor behind',
  async () => {
    parent = await open(PROGRAM);
    const from = parent;
    expect(await child(from, 'first')).toBe('first 7');
    const before = { parent: descriptorsOf(from.pid), here: descriptorsOf(process.pid) };
    for (let round = 0; round < FORKS / AT_ONCE; round++) {
      const names = Array.from({ length: AT_ONCE }, (_, index) => `m${round}_${index}`);
      expect(await Promise.all(names.map((name) => child(from, name)))).toEqual(names.map((name) => `${name} 7`));
    }
    // Their shepherds go a moment after they have told the end.
    await expect.poll(() => childrenOf(from.pid), { timeout: 60_000 }).toEqual([]);
    expect(descriptorsOf(from.pid)).toBe(before.parent);
    await expect.poll(() => descriptorsOf(process.pid), { timeout: 60_000 }).toBeLessThanOrEqual(before.here + 1);
    expect(from.idleSince).toBeDefined();
  },
  120_000,
);

test.skipIf(!LINUX)('the reason why a parent does not get ready is told', async () => {
  const failing = `${HELPER_START}
os.write(1, json.dumps({"failed": "ModuleNotFoundError: no SDK"}).encode() + b"\\n")
os._exit(1)
`;
  await expect(open(failing)).rejects.toThrow('ModuleNotFoundError: no SDK');
  await expect(open('import os\nos._exit(3)')).rejects.toThrow('ended at its start (3)');
});

test.skipIf(!LINUX)('a parent that is killed takes its children along, and says so', async () => {
  parent = await open(PROGRAM.replace('sys.exit(7)', 'time.sleep(600)'));
  const spec = { command: '/usr/bin/python3', args: [], cwd: '/', env: {}, cage: {} };
  const { process: launched } = await parent.launch(spec, { entrypoint: 'sleeper', sitePackages: '/nowhere' });
  process.kill(parent.pid, 'SIGKILL');
  expect(await launched.exited).toMatchObject({ signal: 'SIGKILL' });
  await parent.ended;
  await expect.poll(() => readdirSync('/proc').includes(String(launched.pid)), { timeout: 60_000 }).toBe(false);
  await expect(parent.launch(spec, { entrypoint: 'late', sitePackages: '/nowhere' })).rejects.toThrow('has ended');
});

test.skipIf(!LINUX)('a parent that was stopped goes on when it is needed, or when it is to end', async () => {
  parent = await open(PROGRAM, 50);
  process.kill(parent.pid, 'SIGSTOP');
  expect(await child(parent, 'first')).toBe('first 7');
  process.kill(parent.pid, 'SIGSTOP');
  await parent.close();
});

test.skipIf(!LINUX)('a parent that hangs is ended with its children, and whoever waits for it is told', async () => {
  const hanging = PROGRAM.replace('sys.exit(7)', 'time.sleep(600)').replace(
    'def launch(request):',
    'def launch(request):\n    time.sleep(600 if request.get("fork", {}).get("entrypoint") == "bad" else 0)',
  );
  let hung = 0;
  parent = await open(hanging, 50, () => hung++);
  const spec = { command: '/usr/bin/python3', args: [], cwd: '/', env: {}, cage: {} };
  const { process: launched } = await parent.launch(spec, { entrypoint: 'good', sitePackages: '/nowhere' });
  await expect(parent.launch(spec, { entrypoint: 'bad', sitePackages: '/nowhere' })).rejects.toThrow('has ended');
  expect(await launched.exited).toMatchObject({ signal: 'SIGKILL' });
  await parent.ended;
  expect(hung).toBe(1);
});
