/** Broken rules, and upstream's words for them (docs/wire/http-api.md#validation-messages). */

/** One step into a value. */
export interface PathStep {
  /** As messages call it; of an element its index in brackets. `''` is left out of them. */
  readonly label: string;
  /** The key or index in the value; parts that are embedded in their owner have none, nor has the whole value. */
  readonly key?: string | number;
}

export interface Violation {
  /** The rule's. */
  readonly tag: string;
  /** The last name, such as `Provider` or `Ids[0]`. */
  readonly label: string;
  /** From the whole value to what breaks the rule. */
  readonly path: readonly PathStep[];
}

/** One violation in words: the only place where they stand. */
export const violationText = ({ path, label, tag }: Violation): string =>
  `Key: '${pathText(path)}' Error:Field validation for '${label}' failed on the '${tag}' tag`;

/** The message text: one line per violation. */
export const formatViolations = (violations: readonly Violation[]): string => violations.map(violationText).join('\n');

const isElement = ({ key }: PathStep): boolean => typeof key === 'number';

/** Where it is, as messages write it. */
export function pathText(path: readonly PathStep[]): string {
  let text = '';
  for (const step of path) text += text === '' || step.label === '' || isElement(step) ? step.label : `.${step.label}`;
  return text;
}

/** So many are told; what comes after them is not looked at. A list of a million wrong items must not become a text of as many lines. */
const MAX_VIOLATIONS = 100;

/** The violations found so far, and the place a validator has come to. */
export class Findings {
  readonly violations: Violation[] = [];
  // Two lists in step: most values break no rule, and for those no object need be made.
  readonly #labels: string[] = [];
  readonly #keys: (string | number | undefined)[] = [];

  /** @param whole what the whole value is called */
  constructor(whole: string) {
    this.enter(whole);
  }

  get full(): boolean {
    return this.violations.length >= MAX_VIOLATIONS;
  }

  enter(label: string, key?: string | number): void {
    this.#labels.push(label);
    this.#keys.push(key);
  }

  enterElement(index: number): void {
    this.enter('', index);
  }

  leave(): void {
    this.#labels.pop();
    this.#keys.pop();
  }

  /** The value come to breaks a rule. */
  report(tag: string): void {
    const path = this.#labels.map((label, i): PathStep => {
      const key = this.#keys[i];
      if (key === undefined) return { label };
      return { label: typeof key === 'number' ? `[${key}]` : label, key };
    });
    const named = path.findLastIndex((step) => !isElement(step));
    const label = path.slice(Math.max(0, named)).map((step) => step.label);
    this.violations.push({ tag, label: label.join(''), path });
  }
}
