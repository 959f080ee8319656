/**
 * The vocabulary of the command table: one row per command says its words, arguments, flags, help and the module that
 * does the work. Parser, `--help`, completions and docs/cli.md are all derived from these rows.
 */
import type { Io } from './output/io.ts';

export type FlagType = 'boolean' | 'string' | 'integer' | 'list';

export interface Flag {
  /** Long name as upstream spells it; `_` and `-` are interchangeable on the command line. */
  name: string;
  short?: string;
  type: FlagType;
  /** Name of the value in help texts. */
  value?: string;
  help: string;
  default?: string | number;
  required?: boolean;
  choices?: readonly string[];
  /** May be given without a value (`--vendor` and `--vendor=linux`): the value then. */
  optionalValue?: string;
}

export interface Argument {
  name: string;
  help: string;
  optional?: boolean;
  /** Taken when no argument is given at all; only of the first argument. */
  default?: string;
  /** Takes all the rest. */
  variadic?: boolean;
}

export interface Example {
  command: string;
  explains: string;
}

/** A row of the command table. */
export interface CommandRow {
  /** The words after `dify`. */
  path: readonly string[];
  aliases?: readonly string[];
  summary: string;
  /** Paragraphs for `--help` and the manual. */
  details?: string;
  args: readonly Argument[];
  /** Surplus arguments are ignored instead of refused (upstream's behaviour for commands without arguments). */
  ignoreExtraArgs?: boolean;
  flags: readonly Flag[];
  examples?: readonly Example[];
  load: () => Promise<{ run: Handler }>;
}

/** Commands that stand together in the help of a group, under a title. */
export interface Section {
  title: string;
  /** The word after the group's own, in the order of the help. */
  commands: readonly string[];
}

/** A group of commands (`dify plugin`), which prints its help when called alone. */
export interface GroupRow {
  path: readonly string[];
  summary: string;
  /** How its help is ordered; without: one list, in the order of the rows. */
  sections?: readonly Section[];
}

/** All of the command line. */
export interface Table {
  name: string;
  summary: string;
  globals: readonly Flag[];
  groups: readonly GroupRow[];
  rows: readonly CommandRow[];
  /** Commands a newcomer needs, shown below the help of the program. */
  examples: readonly Example[];
  /** What the switch `--version` stands for. */
  version: CommandRow;
}

export class Flags {
  readonly #values: ReadonlyMap<string, string | number | boolean | string[]>;

  constructor(values: ReadonlyMap<string, string | number | boolean | string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  on(name: string): boolean {
    return this.#values.get(name) === true;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  list(name: string): string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value : [];
  }
}

/** What a handler is given. */
export interface Call {
  args: string[];
  flags: Flags;
  io: Io;
  cwd: string;
  /** The table that the command is in. */
  table: Table;
  env: NodeJS.ProcessEnv;
  /** Fires on Ctrl-C or SIGTERM; a handler tidies up and throws or returns. */
  signal: AbortSignal;
}

/** What a handler gives back. */
export interface Outcome {
  /** Fields of the `--json` document beside `"ok": true`. */
  data?: Record<string, unknown>;
  /** What stdout shows without `--json`; no final newline needed. */
  text?: string;
  /** 0 unless said otherwise (3 = findings). */
  exit?: number;
  /** The handler wrote its own protocol on stdout (`plugin run`): print nothing more. */
  silent?: boolean;
}

export type Handler = (call: Call) => Promise<Outcome>;
