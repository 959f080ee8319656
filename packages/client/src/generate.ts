/**
 * Writes generated.ts from docs/openapi.json. With `--check` nothing is written: it says whether the file is out of date and then
 * exits with 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { renderClient } from './generator/render.ts';

const document = new URL('../../../docs/openapi.json', import.meta.url);
const target = new URL('./generated.ts', import.meta.url);

const content = renderClient(JSON.parse(readFileSync(document, 'utf8')));
let present: string | undefined;
try {
  present = readFileSync(target, 'utf8');
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
if (present !== content) {
  if (process.argv.includes('--check')) {
    console.error('packages/client/src/generated.ts is out of date: run `npm run docs` and commit it');
    process.exitCode = 1;
  } else {
    writeFileSync(target, content);
    console.log('wrote packages/client/src/generated.ts');
  }
}
