import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ThreadPool } from './thread-pool.ts';

let directory: string;
let job: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thread-pool-'));
  job = join(directory, 'job.mjs');
  writeFileSync(job, 'export default ({ n }) => n + 1;\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('jobs run, also after a close', async () => {
  const pool = new ThreadPool({ filename: job, minThreads: 0, maxThreads: 1 });
  expect(await pool.run({ n: 1 })).toBe(2);
  await pool.close();
  expect(await pool.run({ n: 2 })).toBe(3);
  await pool.close();
});

test('threads have nothing of the environment, and keep what they compiled where this process does', async () => {
  const file = join(directory, 'environment.mjs');
  writeFileSync(
    file,
    `import { getCompileCacheDir } from 'node:module';
    export default () => ({ names: Object.keys(process.env), cache: getCompileCacheDir() });`,
  );
  const script = `
    import { enableCompileCache, getCompileCacheDir } from 'node:module';
    import { ThreadPool } from ${JSON.stringify(new URL('./thread-pool.ts', import.meta.url).href)};
    const ask = async () => {
      const pool = new ThreadPool({ filename: ${JSON.stringify(file)}, minThreads: 0, maxThreads: 1 });
      const { names, cache } = await pool.run({});
      await pool.close();
      return [names.filter((name) => name !== 'NODE_COMPILE_CACHE'), cache === getCompileCacheDir()];
    };
    const without = await ask();
    enableCompileCache(${JSON.stringify(join(directory, 'compiled'))});
    console.log(JSON.stringify([without, await ask(), getCompileCacheDir() !== undefined]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, SECRET: 'x' },
  });
  expect(JSON.parse(stdout)).toEqual([[[], true], [[], true], true]);
});

/** In a process that may open few files: all of them are opened, jobs asked for, and asked for again when they are closed. */
const script = `
import { closeSync, openSync } from 'node:fs';
const [, , pool, piscina, job] = process.argv;
const { ThreadPool } = await import(pool);
await import(piscina);
const threads = new ThreadPool({ filename: job, minThreads: 0, maxThreads: 1 });
const open = [];
const outcomes = [];
const ask = async () => outcomes.push(await Promise.allSettled([1, 2, 3].map((n) => threads.run({ n }))));
try { for (;;) open.push(openSync('/dev/null')); } catch {}
await ask();
for (const one of open) closeSync(one);
await ask();
await threads.close();
console.log(JSON.stringify(outcomes.map((round) => round.map(({ value, reason }) => value ?? String(reason.message)))));
`;

test('jobs for which no thread can be started fail with the reason, also those that wait behind them; later ones run', async () => {
  const run = 'ulimit -n 100 && exec "$0" "$@"';
  const pool = new URL('./thread-pool.ts', import.meta.url).href;
  const file = join(directory, 'script.mjs');
  writeFileSync(file, script);
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    run,
    process.execPath,
    file,
    pool,
    import.meta.resolve('piscina'),
    job,
  ]);
  const [refused, ran] = JSON.parse(stdout);
  expect(refused).toEqual([1, 2, 3].map(() => expect.stringMatching(/EMFILE/)));
  expect(ran).toEqual([2, 3, 4]);
});
