/** The description against recordings of upstream: whatever was recorded has a route, a status and a form that are described. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describedRoutes, openApiDocument } from './index.ts';
import { Checker } from './testing.ts';

const GOLDEN = fileURLToPath(new URL('../../../../../../shared/golden/', import.meta.url));

interface Recorded {
  readonly case: string;
  readonly request?: { readonly method: string; readonly path: string; readonly body?: string };
  readonly response?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly sseLines?: readonly string[];
  };
}

/** Routes that only the serverless platform has. */
const SERVERLESS = '/backwards-invocation/transaction';
const NO_ROUTE = '{"code":"not_found","message":"route not found"}';
/** The recorder keeps this much of a line. */
const KEPT = 4000;

const present = existsSync(GOLDEN);
if (!present) console.log(`recordings of upstream are not compared: there is no ${GOLDEN}`);
const files = present ? globSync('**/*.json', { cwd: GOLDEN }).sort() : [];
const checker = new Checker(openApiDocument(describedRoutes()));

test.skipIf(!present).each(files)('recorded exchanges of %s are described', (file) => {
  const { cases = [] }: { cases?: readonly Recorded[] } = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8'));
  const problems = cases.flatMap(({ case: name, request, response }) => {
    if (request === undefined || response === undefined || request.path === SERVERLESS) return [];
    const { status, headers, body, sseLines = [] } = response;
    // The client left before there was an answer; upstream redirects from one spelling of a path to the other.
    if (status === 0 || status === 301 || body === NO_ROUTE) return [];
    const whole = sseLines.filter((line) => line.length < KEPT || line.endsWith('}'));
    const found = checker.problems({
      ...request,
      status,
      contentType: headers['content-type'] ?? '',
      body: body ?? whole.join('\n'),
    });
    return found.map((problem) => `${name}: ${request.method} ${request.path}: ${problem}`);
  });
  expect(problems).toEqual([]);
});

/** Accepted, but nothing to describe: keys count in any case. */
const TOLERATED = new Set(['keys of the envelope in another case, unknown keys']);

test.skipIf(!present)('requests that upstream accepted are valid', () => {
  let accepted = 0;
  for (const file of files) {
    const { cases = [] }: { cases?: readonly Recorded[] } = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8'));
    for (const { case: name, request, response } of cases) {
      if (request?.body === undefined || response?.status !== 200 || request.path === SERVERLESS) continue;
      const answer = response.body ?? (response.sseLines ?? []).join('\n');
      if (answer.includes('"code":-') || TOLERATED.has(name)) continue;
      expect(checker.requestProblems(request.method, request.path, request.body), `${file}: ${name}`).toEqual([]);
      accepted++;
    }
  }
  expect(accepted).toBeGreaterThan(300);
});

test.skipIf(!present)('answers were really looked at', () => {
  expect(checker.validated).toBeGreaterThan(500);
});
