/** A program as its arguments are described. */
interface Told {
  readonly help: string;
  readonly short?: string;
}

export type OptionTable = Readonly<
  Record<
    string,
    | (Told & { readonly type: 'boolean'; readonly default?: boolean })
    /** `takes`: what its value is called. */
    | (Told & { readonly type: 'string'; readonly takes: string; readonly default?: string })
  >
>;

export interface ProgramDescription<Options extends OptionTable = OptionTable> {
  /** How it is called: `npm run bench`. */
  readonly name: string;
  /** What it does, in sentences. */
  readonly about: string;
  readonly options: Options;
  /** What arguments it takes that are no options, as the first line of its usage shows them; absent: none. */
  readonly words?: string;
}
