import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf } from '../message-of.ts';
import type { OptionTable, ProgramDescription } from './description.ts';
import { usageOf } from './usage.ts';

type Parsed<Options extends OptionTable> = ReturnType<typeof parseArgs<{ options: Options }>>['values'];

/** What a program was asked. */
export interface Asked<Options extends OptionTable> {
  readonly values: Parsed<Options>;
  /** The arguments that are no options. */
  readonly words: readonly string[];
}

/** Why a program does nothing else than say a text: it was asked for help, or cannot be asked like this. */
export interface Instead {
  readonly text: string;
  readonly exitCode: 0 | 2;
}

/** @returns what is asked, or what is to be said instead */
export function readArguments<const Options extends OptionTable>(
  program: ProgramDescription<Options>,
  args: readonly string[],
): Asked<Options> | Instead {
  const beforeWords = args.slice(0, args.indexOf('--') >>> 0);
  if (beforeWords.includes('--help') || beforeWords.includes('-h')) return { text: usageOf(program), exitCode: 0 };
  const config = { args: [...args], options: program.options, allowPositionals: program.words !== undefined };
  try {
    const { values, positionals } = parseArgs<ParseArgsConfig & { options: Options }>(config);
    return { values, words: positionals };
  } catch (error) {
    // Of Node's sentences the first says what is wrong.
    const [problem] = messageOf(error).split(/\.(?:\s|$)|\n/);
    return { text: refusal(program, problem ?? ''), exitCode: 2 };
  }
}

/** The same for a program that is nothing else: help and refusals end it. @param args those of the process */
export function argumentsOf<const Options extends OptionTable>(
  program: ProgramDescription<Options>,
  args: readonly string[] = process.argv.slice(2),
) {
  const asked = readArguments(program, args);
  if ('text' in asked) {
    (asked.exitCode === 0 ? process.stdout : process.stderr).write(asked.text);
    process.exit(asked.exitCode);
  }
  const refuse = (problem: string): never => {
    process.stderr.write(refusal(program, problem));
    process.exit(2);
  };
  return {
    ...asked,
    /** Ends the program with one line. */
    refuse,
    /** The number that an option was given, within bounds. */
    number(name: string, { least, most, whole = true }: { least: number; most: number; whole?: boolean }): number {
      const text = Object.entries(asked.values).find(([one]) => one === name)?.[1];
      const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
      if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
      return refuse(`--${name} takes a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not "${text}"`);
    },
  };
}

/** What is said to who asked for what there is not: one line. */
export const refusal = ({ name }: ProgramDescription, problem: string): string =>
  `${name}: ${problem}; --help shows what there is\n`;
