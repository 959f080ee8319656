/** Writes docs/cli.md from the command table; with --check only says whether it is up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderManual } from './command-line/manual.ts';

const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'cli.md');
const text = renderManual();
if (process.argv.includes('--check')) {
  const current = await readFile(path, 'utf8').catch(() => '');
  if (current !== text) {
    process.stderr.write('docs/cli.md is not what the command table says: run `npm run docs -w packages/cli`\n');
    process.exitCode = 1;
  }
} else await writeFile(path, text);
