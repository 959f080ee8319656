/** The questions of `plugin init`, in the order of upstream's screens, each with its default and its rule. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { intro, note, outro } from '@clack/prompts';
import { askPermissions } from './permission-editor.ts';
import { askMany, askOne, askText, BACK, SKIPPED, type Step, wizard } from './prompts.ts';
import {
  CATEGORIES,
  CATEGORY_HINTS,
  type Category,
  checkAuthor,
  checkDescription,
  checkMinimumVersion,
  checkName,
  checkRepository,
  LANGUAGE_NAMES,
  LANGUAGES,
  type Permissions,
  PROVIDER_TYPES,
} from './rules.ts';
import type { Answers } from './scaffold.ts';

type Needs = (category: Category, permissions: Permissions, given: boolean) => Permissions;

export async function askAnswers(defaults: Answers, needs: Needs, parent: string): Promise<Answers> {
  const answers = { ...defaults };
  let permissionsTouched = false;

  const text =
    (
      key: 'name' | 'author' | 'description' | 'repo' | 'minimumDifyVersion',
      message: string,
      check: (value: string) => string | undefined,
      placeholder?: string,
    ): Step =>
    async () => {
      const answer = await askText({
        message,
        check,
        initial: answers[key],
        ...(placeholder === undefined ? {} : { placeholder }),
      });
      if (answer === BACK) return BACK;
      answers[key] = answer;
      return undefined;
    };

  const checkNewName = (value: string): string | undefined =>
    checkName(value) ?? (existsSync(join(parent, value)) ? `a folder named ${value} is here already` : undefined);

  const steps: Step[] = [
    text('name', 'Plugin name', checkNewName, 'a folder of this name is created'),
    text('author', 'Author', checkAuthor, 'your name or that of your organization'),
    text('description', 'Description', checkDescription, 'one sentence for the people who choose plugins'),
    text('repo', 'Repository address (optional)', checkRepository, 'https://github.com/…'),
    async () => {
      const answer = await askMany(
        'Readmes in other languages (English is always there)',
        LANGUAGES.map((language) => ({ value: language, label: LANGUAGE_NAMES[language] ?? language })),
        answers.readmeLanguages,
      );
      if (answer === BACK) return BACK;
      answers.readmeLanguages = answer;
      return undefined;
    },
    async () => {
      const answer = await askOne(
        'What kind of plugin?',
        CATEGORIES.map((category) => ({ value: category, label: category, hint: CATEGORY_HINTS[category] })),
        answers.category,
      );
      if (answer === BACK) return BACK;
      if (answer !== answers.category && !permissionsTouched)
        answers.permissions = needs(answer, answers.permissions, false);
      answers.category = answer;
      return undefined;
    },
    async () => {
      if (answers.category !== 'datasource') return SKIPPED;
      const answer = await askOne(
        'What does the datasource read?',
        PROVIDER_TYPES.map((type) => ({ value: type, label: type })),
        answers.providerType,
      );
      if (answer === BACK) return BACK;
      answers.providerType = answer;
      return undefined;
    },
    async () => {
      const answer = await askPermissions(answers.permissions);
      if (answer === BACK) return BACK;
      answers.permissions = answer;
      permissionsTouched = true;
      return undefined;
    },
    text('minimumDifyVersion', 'Oldest Dify the plugin works with (optional)', checkMinimumVersion, '1.9.0'),
  ];

  intro('New Dify plugin');
  note('Enter accepts · Esc goes back · Ctrl-C leaves, nothing is written before the end', 'Keys');
  await wizard(steps);
  outro(`Creating ${answers.name}`);
  return answers;
}
