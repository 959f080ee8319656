/**
 * Questions on a terminal with Esc for "one step back" and Ctrl-C for "leave". Wraps @clack: a text input that shows
 * what is wrong while it is typed, and the two kinds of lists. Call only when `io.interactive`.
 */
import { TextPrompt } from '@clack/core';
import { isCancel, multiselect, S_BAR, S_BAR_END, select, symbol } from '@clack/prompts';
import pc from 'picocolors';
import { interrupted } from '../errors.ts';

/** The answer "back". */
export const BACK = Symbol('back');
export type Answer<T> = T | typeof BACK;

let lastKey: string | undefined;
function watchKeys(): () => void {
  const onKey = (_text: string | undefined, key: { name?: string; ctrl?: boolean } | undefined): void => {
    lastKey = key?.ctrl === true ? `ctrl-${key.name ?? ''}` : key?.name;
  };
  process.stdin.on('keypress', onKey);
  return () => process.stdin.off('keypress', onKey);
}

async function ask<T>(prompt: Promise<T | symbol>): Promise<Answer<T>> {
  lastKey = undefined;
  const stop = watchKeys();
  try {
    const value = await prompt;
    if (!isCancel(value)) return value as T; // clack's answer is its symbol or the value
    if (lastKey === 'escape') return BACK;
    throw interrupted();
  } finally {
    stop();
  }
}

export interface TextQuestion {
  message: string;
  initial?: string;
  placeholder?: string;
  /** What is wrong with the text, or undefined. */
  check: (text: string) => string | undefined;
}

/** One line of text; the rule is shown as soon as it is broken, and Enter waits until it is kept. */
export function askText(question: TextQuestion): Promise<Answer<string>> {
  const problem = (text: string): string | undefined => question.check(text);
  const prompt = new TextPrompt({
    ...(question.initial === undefined ? {} : { initialUserInput: question.initial }),
    ...(question.placeholder === undefined ? {} : { placeholder: question.placeholder }),
    validate: (text) => problem(text ?? ''),
    render() {
      const title = `${pc.gray(S_BAR)}\n${symbol(this.state)}  ${question.message}\n`;
      const typed = this.userInput;
      switch (this.state) {
        case 'submit':
          return `${title}${pc.gray(S_BAR)}  ${pc.dim(typed)}`;
        case 'cancel':
          return `${title}${pc.gray(S_BAR)}  ${pc.strikethrough(pc.dim(typed))}`;
        default: {
          const wrong = typed === '' && this.state !== 'error' ? undefined : problem(typed);
          const paint = wrong === undefined ? pc.cyan : pc.yellow;
          const shown =
            typed === '' && question.placeholder !== undefined
              ? `${pc.inverse(question.placeholder.slice(0, 1))}${pc.dim(question.placeholder.slice(1))}`
              : this.userInputWithCursor;
          return `${title}${paint(S_BAR)}  ${shown}\n${paint(S_BAR_END)}  ${wrong === undefined ? '' : pc.yellow(wrong)}`;
        }
      }
    },
  });
  return ask(prompt.prompt().then((value) => value ?? ''));
}

export interface Choice<T> {
  value: T;
  label: string;
  hint?: string;
}

export function askOne<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  initial: T,
): Promise<Answer<T>> {
  const options = choices.map((choice) => ({
    value: choice.value as string,
    label: choice.label,
    ...(choice.hint === undefined ? {} : { hint: choice.hint }),
  }));
  return ask(select<string>({ message, options, initialValue: initial, maxItems: 14 }) as Promise<T | symbol>);
}

export function askMany<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  initial: readonly T[],
): Promise<Answer<T[]>> {
  const options = choices.map((choice) => ({
    value: choice.value as string,
    label: choice.label,
    ...(choice.hint === undefined ? {} : { hint: choice.hint }),
  }));
  return ask(
    multiselect<string>({ message, options, initialValues: [...initial], required: false, maxItems: 16 }) as Promise<
      T[] | symbol
    >,
  );
}

/** The answer of a step that does not apply. */
export const SKIPPED = Symbol('skipped');

/** One question of a wizard: reads and changes the answers; BACK returns to the question asked before. */
export type Step = () => Promise<typeof BACK | typeof SKIPPED | undefined>;

/** Asks the steps in order, going back where asked; back from the first step leaves. */
export async function wizard(steps: readonly Step[]): Promise<void> {
  const asked: number[] = [];
  for (let index = 0; index < steps.length; ) {
    const answer = await steps[index]?.();
    if (answer === BACK) {
      const previous = asked.pop();
      if (previous === undefined) throw interrupted();
      index = previous;
      continue;
    }
    if (answer !== SKIPPED) asked.push(index);
    index++;
  }
}
