/**
 * The Python a new plugin asks for: what fits this machine. With nothing newer than 3.11 it takes the SDKs that run there, and a
 * newer one by itself where a newer Python is.
 */
import type { Call } from '../command.ts';
import { withTools } from '../machine/machine-tools.ts';
import { PYTHON_CHOICES, type PythonChoice } from './rules.ts';

const isChoice = (text: string | undefined): text is PythonChoice => text !== undefined && text in PYTHON_CHOICES;

export interface ChosenPython {
  python: PythonChoice;
  /** What whoever made the plugin has to know before running it. */
  hint?: string;
}

/** `--python`, else what fits the interpreters of this machine. */
export async function choosePython({ flags, env, signal }: Call): Promise<ChosenPython> {
  const found = await withTools({ env, signal }, (tools) => tools.pythons(signal));
  return choiceFor(flags.text('python'), Math.max(0, ...found.map(({ version }) => version[1])));
}

/** @param newest minor version of the newest Python of this machine; 0 when there is none from 3.11 on */
export function choiceFor(asked: string | undefined, newest: number): ChosenPython {
  const python = isChoice(asked) ? asked : newest === 11 ? '3.11' : '3.12';
  if (newest === 0)
    return {
      python,
      hint: `No Python from 3.11 on is on this machine: install Python 3.12 before you run the plugin.`,
    };
  if (newest < Number(python.slice(2)))
    return { python, hint: `Python ${python} is not on this machine: install it before you run the plugin.` };
  if (asked === undefined && python === '3.11')
    return {
      python,
      hint: 'Made for Python 3.11, the newest here, and the SDKs before 0.9 that run on it. With Python 3.12 installed, or --python 3.12, it asks for SDK 0.9 or newer, as the marketplace does.',
    };
  return { python };
}
