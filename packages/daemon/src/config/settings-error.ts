/** One thing that is wrong with the environment. */
export interface SettingProblem {
  readonly variable: string;
  /** As configured; hidden for secrets; empty when nothing was configured. */
  readonly value: string;
  /** A clause that completes the variable's name: "is not a whole number". */
  readonly problem: string;
  readonly remedy: string;
}

/** Everything that is wrong with the environment, at once. The daemon does not start. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const head = problems.length === 1 ? 'A setting is wrong:' : `${problems.length} settings are wrong:`;
    super([head, ...problems.map(describe)].join('\n'));
    this.problems = problems;
  }
}

function describe({ variable, value, problem, remedy }: SettingProblem): string {
  const name = value === '' ? variable : `${variable}=${value}`;
  return `  ${name}: ${problem}\n    → ${remedy}`;
}
