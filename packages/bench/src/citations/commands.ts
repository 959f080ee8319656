import { isObject } from '@plugin-daemon/values';
import type { RepositoryFile } from './files.ts';

/** `npm run NAME -w FOLDER`, also with `--` and what follows; `npm start` and `npm test`. */
const NPM = /\bnpm (?:--?[a-z]+ )*(?:run (?:-s |--silent )*([a-z][\w:-]*)|(start|test)\b)(?: -w (packages\/[\w-]+))?/g;
/** What is run, or said to be there, by its path. */
const PATH = /(?<![\w./@-])(?:packages|\.ci)\/[\w./-]*\w/g;
/** A command of the command line, as a command. */
const DIFY = /(?:^|`|npx )dify ((?:plugin|bundle|signature) [a-z]+)/g;
/** Made by a build. */
const MADE = /\/dist(?:-executable)?(?:\/|$)/;

/** @returns what a line of prose tells to run, or to look at, that is not here */
export function missingFrom(files: readonly RepositoryFile[], paths: ReadonlySet<string>): (prose: string) => string[] {
  const scripts = new Map(
    files
      .filter(({ path }) => /^(?:packages\/[\w-]+\/)?package\.json$/.test(path))
      .map(({ path, text }) => [path.replace(/\/?package\.json$/, ''), scriptsOf(text)]),
  );
  const commandLine = files.find(({ path }) => path === 'docs/cli.md')?.text ?? '';
  // A command is a heading; other names of it stand below.
  const commands = new Set([...commandLine.matchAll(/^(?:## |Also: `)dify (\w+ \w+)/gm)].map(([, command]) => command));
  return (prose) => [
    ...[...prose.matchAll(NPM)]
      .filter(([, run, short, folder]) => scripts.get(folder ?? '')?.has(run ?? short ?? '') !== true)
      .map(([command]) => `tells to run ${command}, which is no script of package.json`),
    ...[...prose.matchAll(DIFY)]
      .filter(([, command]) => !commands.has(command))
      .map(([, command]) => `tells to run dify ${command}, which is no command of docs/cli.md`),
    ...[...prose.matchAll(PATH)]
      .filter(([path]) => !MADE.test(path) && !paths.has(path))
      .map(([path]) => `names ${path}, which is not there`),
  ];
}

function scriptsOf(text: string): ReadonlySet<string> {
  const { scripts }: { scripts?: unknown } = JSON.parse(text);
  return new Set(isObject(scripts) ? Object.keys(scripts) : []);
}
