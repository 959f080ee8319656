/**
 * Writes the documents that are made from tables of the code: `npm run docs`. With `--check` nothing is written: it names
 * the documents that differ from what would be written and exits with 1.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALLOWED_VARIABLES } from '@plugin-daemon/plugin-host/runtimes/local';
import { renderConfiguration } from './config/index.ts';
import { describedRoutes, openApiDocument } from './http/openapi/index.ts';

interface GeneratedDocument {
  /** From the root of the repository. */
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

/** Every generated document; a new one is a new line. */
const documents: readonly GeneratedDocument[] = [
  { path: 'docs/configuration.md', render: () => renderConfiguration(ALLOWED_VARIABLES) },
  { path: 'docs/openapi.json', render: () => `${JSON.stringify(openApiDocument(describedRoutes()), null, 2)}\n` },
];

const check = process.argv.includes('--check');
for (const { path, render } of documents) {
  const file = fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  const content = await render();
  if (readIfThere(file) === content) continue;
  if (check) {
    console.error(`${path} is out of date: run \`npm run docs\` and commit it`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`wrote ${path}`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
