import { AROUND, lines, type Run, type RunFile } from './run.ts';

/** More than these are no bad luck: they are not tried again. */
const MOST_TRIED_AGAIN = 12;
const MOST_SHOWN = 8;

/** The files that failed, for a second run; none when that could not take the failure back. */
export function failedFiles(run: Run): readonly string[] {
  const failed = run.files.filter(hasFailed).map(({ path }) => path);
  return run.errors.length > 0 || failed.length > MOST_TRIED_AGAIN ? [] : failed;
}

/**
 * What failed in the first run and did not pass in the second, as `file > name`. A test that is skipped the second time has not passed,
 * and whatever fails for the first time in the second run counts as well.
 */
export function stillFailing(first: Run, second: Run): readonly string[] {
  const again = new Map(second.files.map((file) => [file.path, file]));
  const open = first.files.filter(hasFailed).flatMap(({ path, failed }) => {
    const { passed = [], failed: newly = [] } = again.get(path) ?? {};
    const well = new Set(passed);
    for (const { name } of newly) well.delete(name);
    return [...failed, ...newly]
      .map(({ name }) => name)
      .filter((name) => !well.has(name))
      .map(titled(path));
  });
  return [...new Set([...open, ...second.errors.map((error) => error.split('\n')[0] ?? '')])];
}

/** What failed, with the first lines of why, for the end of a log. */
export function failureText(run: Run): string {
  const all = run.files.flatMap(({ path, failed }) =>
    failed.map(({ name, errors }) => [`✗ ${titled(path)(name)}`, ...indented(errors)]),
  );
  const strays = run.errors.map((error) => ['✗ an error that belongs to no file', ...indented([error])]);
  const shown = [...strays, ...all].slice(0, MOST_SHOWN);
  // The other names have to be there; why they failed is often the same.
  const others = [...strays, ...all].slice(MOST_SHOWN).flatMap(([title = '']) => title);
  return [...shown.flat(), ...others].join('\n');
}

/** The files that took longest, as `seconds path`. */
export function slowest(run: Run, most: number): readonly string[] {
  return run.files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, most)
    .map(({ path, seconds }) => `${String(seconds).padStart(6)} ${path}`);
}

const hasFailed = ({ failed }: RunFile): boolean => failed.length > 0;

const titled =
  (path: string) =>
  (name: string): string =>
    `${path} > ${name === AROUND.file ? '' : name}`.replace(/ > $/, '');

const indented = (errors: readonly string[]): readonly string[] =>
  lines(errors.join('\n')).map((line) => `    ${line}`);
