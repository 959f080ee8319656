/**
 * Part of `npm run docs:check`: what comments and documents of this repository cite is in it. Names every citation that leads nowhere,
 * with its file and line, and exits with 1.
 */
import { fileURLToPath } from 'node:url';
import { checkCitations, readRepository } from './citations/index.ts';

const problems = checkCitations(readRepository(fileURLToPath(new URL('../../../', import.meta.url))));
for (const { file, line, problem } of problems) console.error(`${file}:${line}: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
