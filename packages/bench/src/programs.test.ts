/** Every program of this repository says what it can be asked, and refuses what it cannot be asked with one line. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(`${REPOSITORY}package.json`, 'utf8'),
);
/** `npm run NAME` runs one file, with what follows as its arguments. */
const programs = Object.entries(scripts)
  .map(
    ([name, script]) => [name, /^(?:\S+=\S+ )*(?:exec )?node (?:--\S+ )?(packages\/[^&]+)$/.exec(script)?.[1]] as const,
  )
  .filter((program): program is readonly [string, string] => program[1] !== undefined);

function run(script: string, argument: string) {
  const args = [...script.split(' '), argument];
  return spawnSync(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8', timeout: 60_000 });
}

test('there are programs to ask', () => {
  const names = programs.map(([name]) => name);
  for (const name of [
    'start',
    'bench',
    'outages',
    'demo',
    'conformance',
    'simulate',
    'services',
    'migrate-store',
    'uv:pin',
  ])
    expect(names).toContain(name);
});

describe.each(programs)('npm run %s', (name, script) => {
  const call = name === 'start' ? 'npm start' : `npm run ${name}`;

  test('--help shows how it is called, and nothing is done', () => {
    const { status, stdout, stderr } = run(script, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.startsWith(call)).toBe(true);
  });

  test('an option that it does not have is refused with one line', () => {
    const { status, stdout, stderr } = run(script, '--no-such-option');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^npm .*--no-such-option.*--help.*\n$/);
    expect(stderr.startsWith(call)).toBe(true);
  });
});
