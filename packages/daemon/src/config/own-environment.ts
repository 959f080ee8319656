import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Takes the process's own variables out of sight. `/proc/<pid>/environ` shows the block of memory the process was started with to
 * every process of the same user, also to plugins that are not isolated, and also after a variable was deleted. So values are moved
 * to the heap, and the block is overwritten; keys of the daemon are not kept at all. What it was started with is returned.
 * @param isSecret names of variables that nobody needs again after the settings were read
 * @param mayStay names whose values are no secrets
 */
export function concealEnvironment(
  isSecret: (name: string) => boolean,
  mayStay: (name: string) => boolean,
): Record<string, string> {
  const before: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    before[name] = value;
    if (isSecret(name)) delete process.env[name];
    else if (!mayStay(name)) process.env[name] = value;
  }
  if (process.platform === 'linux') overwriteBlock(before, mayStay);
  return before;
}

/** Where the block is, counted from 1 in proc(5): fields 50 and 51 of stat. */
const BLOCK_FIELDS = 50 - 3;

function overwriteBlock(environment: Environment, mayStay: (name: string) => boolean): void {
  let memory: number | undefined;
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [start, end] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(BLOCK_FIELDS, BLOCK_FIELDS + 2)
      .map(Number);
    if (start === undefined || end === undefined || !(start > 0 && end > start)) return;
    memory = openSync('/proc/self/mem', 'r+');
    const block = Buffer.alloc(end - start);
    readSync(memory, block, 0, block.length, start);
    for (let at = 0; at < block.length; ) {
      const next = block.indexOf(0, at) < 0 ? block.length : block.indexOf(0, at);
      const name = block.toString('utf8', at, next).split('=', 1)[0] ?? '';
      // The C library still points into the block for what was not moved.
      if (!mayStay(name) || environment[name] === undefined) block.fill(0, at + Buffer.byteLength(name), next);
      at = next + 1;
    }
    writeSync(memory, block, 0, block.length, start);
  } catch {
    // A kernel that forbids it: then only isolation keeps the block from plugins.
  } finally {
    if (memory !== undefined) closeSync(memory);
  }
}
