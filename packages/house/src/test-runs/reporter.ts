import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { AROUND, lines, type Run, type RunFailure, type RunFile } from './run.ts';

type Thrown = Parameters<NonNullable<Reporter['onTestRunEnd']>>[1][number];

/** Writes what a run came to into the file that `TEST_RUN` names, beside the report for people. */
export default class RunReporter implements Reporter {
  readonly #file = process.env.TEST_RUN;
  #root = process.cwd();

  onInit({ config }: Vitest): void {
    this.#root = config.root;
  }

  onTestRunEnd(modules: readonly TestModule[], strays: readonly Thrown[]): void {
    if (this.#file !== undefined) writeFileSync(this.#file, JSON.stringify(runOf(modules, strays, this.#root)));
  }
}

function runOf(modules: readonly TestModule[], strays: readonly Thrown[], root: string): Run {
  const files = modules.map((module) => ({
    path: relative(root, module.moduleId),
    ...resultOf(
      module,
      strays.filter((stray) => pathOf(stray) === module.moduleId),
    ),
  }));
  const known = new Set(modules.map(({ moduleId }) => moduleId));
  return { files, errors: strays.filter((stray) => !known.has(pathOf(stray) ?? '')).map(textOf) };
}

function resultOf(module: TestModule, strays: readonly Thrown[]): Omit<RunFile, 'path'> {
  const passed: string[] = [];
  const failed: RunFailure[] = [];
  const note = (name: string, isWell: boolean, errors: readonly Thrown[]): void => {
    if (isWell) passed.push(name);
    else failed.push({ name, errors: errors.map(textOf) });
  };
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state !== 'skipped') note(test.fullName, state === 'passed', errors);
  }
  for (const suite of module.children.allSuites()) note(suite.fullName, suite.errors().length === 0, suite.errors());
  const isWell = module.errors().length === 0 && (module.ok() || failed.length > 0);
  note(AROUND.file, isWell, module.errors());
  note(AROUND.stray, strays.length === 0, strays);
  return { seconds: Math.round(module.diagnostic().duration / 1000), passed, failed };
}

const pathOf = (thrown: Thrown): string | undefined =>
  typeof thrown.VITEST_TEST_PATH === 'string' ? thrown.VITEST_TEST_PATH : undefined;

/** What was thrown, the difference that it found, and where. */
function textOf(thrown: Thrown): string {
  const message = `${thrown.name ?? 'Error'}: ${thrown.message}`;
  const diff = typeof thrown.diff === 'string' ? thrown.diff : '';
  const frames = (thrown.stacks ?? [])
    .filter(({ file }) => !file.includes('/node_modules/'))
    .map(({ file, line }) => `at ${relative(process.cwd(), file)}:${line}`);
  // The place always has room below what may be long.
  const where = frames.slice(0, 3);
  return [...lines(`${message}\n${diff}`, 12), ...where].join('\n');
}
