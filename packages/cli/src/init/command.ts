/**
 * `plugin init`: answers from flags, then from questions where there is a terminal, then all files at once (docs/wire/cli.md#plugin-init).
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Call, Flags, Outcome } from '../command.ts';
import { CliError, EXIT, usageError } from '../errors.ts';
import { createDirectory } from '../files/atomic.ts';
import { choosePython } from './python-choice.ts';
import {
  CATEGORIES,
  type Category,
  checkAuthor,
  checkDescription,
  checkMinimumVersion,
  checkName,
  checkRepository,
  checkStorageSize,
  DEFAULT_STORAGE,
  isCategory,
  LANGUAGES,
  MODEL_KINDS,
  NO_MODELS,
  NO_PERMISSIONS,
  type Permissions,
  PROVIDER_TYPES,
  type PythonChoice,
  parseSize,
} from './rules.ts';
import { type Answers, pluginFiles } from './scaffold.ts';

function wrong(message: string, flag: string): CliError {
  return new CliError('invalid-input', message, { exit: EXIT.usage, remedy: `change --${flag}` });
}

function expectIn<T extends string>(value: string, allowed: readonly T[], message: string, label: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new CliError('invalid-input', `${message} ${label}="[${allowed.join(' ')}]"`, { exit: EXIT.usage });
  return found;
}

export function permissionsFromFlags(flags: Flags): Permissions {
  const kinds = { ...NO_MODELS };
  for (const kind of MODEL_KINDS) kinds[kind] = flags.on(`allow-${kind.replaceAll('_', '-')}`);
  const size = flags.text('storage-size');
  const bytes = size === undefined ? DEFAULT_STORAGE : parseSize(size);
  if (bytes === undefined)
    throw wrong(`storage size "${size}" is not a number of bytes or a size such as 2MB`, 'storage-size');
  const storage = flags.on('allow-storage') || size !== undefined;
  if (storage) {
    const problem = checkStorageSize(bytes);
    if (problem !== undefined) throw wrong(problem, 'storage-size');
  }
  return {
    tool: flags.on('allow-tool'),
    model: flags.on('allow-model') || Object.values(kinds).includes(true) ? kinds : null,
    node: flags.on('allow-node'),
    endpoint: flags.on('allow-endpoint'),
    app: flags.on('allow-app'),
    storage: storage ? bytes : null,
  };
}

function answersFromFlags(flags: Flags, python: PythonChoice): Answers {
  const language = flags.text('language') ?? '';
  if (language !== '' && language !== 'python')
    throw new CliError('invalid-input', 'invalid language supported_languages=[python]', { exit: EXIT.usage });
  const category = flags.text('category') ?? '';
  if (category !== '' && !isCategory(category))
    throw new CliError('invalid-input', `invalid category supported_categories="[${CATEGORIES.join(' ')}]"`, {
      exit: EXIT.usage,
    });
  const minimum = flags.text('min-dify-version') ?? '';
  const versionProblem = checkMinimumVersion(minimum);
  if (versionProblem !== undefined) throw wrong(versionProblem, 'min-dify-version');
  const repo = flags.text('repo') ?? '';
  const repoProblem = checkRepository(repo);
  if (repoProblem !== undefined) throw wrong(repoProblem, 'repo');
  const languages = (flags.text('i18n') ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'en_US');
  return {
    name: flags.text('name') ?? '',
    author: flags.text('author') ?? '',
    description: flags.text('description') ?? '',
    repo,
    category: isCategory(category) ? category : 'tool',
    permissions: permissionsFromFlags(flags),
    minimumDifyVersion: minimum,
    readmeLanguages: languages.map((part) =>
      expectIn(part, LANGUAGES, `invalid readme language ${part}`, 'supported_languages'),
    ),
    providerType: expectIn(
      flags.text('provider-type') ?? 'online_document',
      PROVIDER_TYPES,
      'invalid provider type',
      'supported_types',
    ),
    python,
  };
}

/** Agent strategies cannot do without these. */
function withNeeds(category: Category, permissions: Permissions, given: boolean): Permissions {
  if (category !== 'agent-strategy' || given) return permissions;
  return { ...NO_PERMISSIONS, tool: true, model: { ...NO_MODELS, llm: true } };
}

function checkAnswers(answers: Answers): void {
  for (const [problem, flag] of [
    [checkName(answers.name), 'name'],
    [checkAuthor(answers.author), 'author'],
    [checkDescription(answers.description), 'description'],
  ] as const) {
    if (problem !== undefined) throw wrong(problem, flag);
  }
}

export async function run(call: Call): Promise<Outcome> {
  const { flags, io, cwd, signal } = call;
  const { python, hint } = await choosePython(call);
  let answers = answersFromFlags(flags, python);
  const permissionsGiven = JSON.stringify(answers.permissions) !== JSON.stringify(NO_PERMISSIONS);
  if (!flags.on('quick') && io.interactive) {
    const { askAnswers } = await import('./wizard.ts');
    answers = await askAnswers(answers, withNeeds, resolve(cwd, flags.text('dir') ?? '.'));
  } else {
    const missing = (['name', 'author', 'description'] as const).filter((key) => answers[key] === '');
    if (missing.length > 0 && !flags.on('quick')) {
      throw usageError(
        `there is no terminal to ask on, and ${missing.map((key) => `--${key}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
        'Example: dify plugin init --quick --name weather --author acme --description "Weather for any city"',
      );
    }
    answers = { ...answers, permissions: withNeeds(answers.category, answers.permissions, permissionsGiven) };
  }
  checkAnswers(answers);

  const directory = resolve(cwd, flags.text('dir') ?? '', answers.name);
  if (flags.has('dir') && !existsSync(resolve(cwd, flags.text('dir') ?? '')))
    throw new CliError('no-directory', `${flags.text('dir')}: no such folder`);
  const files = pluginFiles(answers);
  await createDirectory(directory, files, { overwrite: flags.on('force'), signal });
  const shown = relative(cwd, directory) || '.';
  io.info('plugin created successfully', { name: answers.name, guide: `${shown}/GUIDE.md` });
  if (hint !== undefined) io.note(`\n${io.colors.yellow(hint)}`);
  io.note(`\nNext:\n  cd ${shown}\n  dify plugin validate .\n  dify plugin dev . --local`);
  return {
    data: { name: answers.name, path: directory, category: answers.category, python, files: [...files.keys()].sort() },
  };
}
