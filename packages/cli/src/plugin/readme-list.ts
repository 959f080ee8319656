/** `plugin readme list`: which languages have a readme, English first (docs/wire/cli.md#modules-permissions-readmes). */
import type { Call, Outcome } from '../command.ts';
import { CliError } from '../errors.ts';
import { LANGUAGE_NAMES } from '../init/rules.ts';
import { openSource } from '../source/source.ts';

const LOCALIZED = /^readme\/README_([a-z]{2}_[A-Za-z]{2,})\.md$/;

/** Columns with a gap of three; wide characters count double so that the table stays straight. */
function table(rows: readonly (readonly string[])[]): string {
  const width = (text: string): number =>
    [...text].reduce(
      (sum, character) =>
        sum +
        (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|✅/u.test(
          character,
        )
          ? 2
          : 1),
      0,
    );
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => width(row[column] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('   ')
      .trimEnd();
  const [head, ...body] = rows;
  return [line(head ?? []), '-'.repeat(widths.reduce((sum, each) => sum + each + 3, -3)), ...body.map(line)].join('\n');
}

export async function run({ args, signal }: Call): Promise<Outcome> {
  const source = await openSource(args[0] ?? '', signal);
  if (!source.files.has('README.md'))
    throw new CliError('no-readme', 'en_US readme not found', {
      file: 'README.md',
      remedy: 'write a README.md in English at the root of the plugin',
    });
  const localized = source.files.names
    .map((name) => LOCALIZED.exec(name)?.[1])
    .filter((code) => code !== undefined && code !== 'en_US');
  const codes = ['en_US', ...localized.toSorted()].filter((code) => code !== undefined);
  const languages = codes.map((code) => ({ code, language: LANGUAGE_NAMES[code] ?? 'unknown', available: true }));
  const rows = languages.map((entry) => [entry.code, entry.language, '✅']);
  return { text: table([['language-code', 'language', 'available'], ...rows]), data: { languages } };
}
