/** Parameters by name: those that are declared, and what is said of the others. */
import { CliError, usageError } from '../../errors.ts';
import { didYouMean } from '../../nearest.ts';
import type { Parameter } from './call.ts';
import { convert } from './values.ts';

export function convertAll(
  declared: readonly Parameter[],
  params: ReadonlyMap<string, string>,
  label: string,
  /** Names that are taken beside the declared ones. */
  others: readonly string[] = [],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  // Before what is missing: a mistyped name is the reason why something is.
  const names = declared.map((parameter) => parameter.name);
  refuseOthers(
    [...params.keys()].filter((name) => !names.includes(name)),
    [...names, ...others],
    label,
  );
  for (const parameter of declared) {
    const text = params.get(parameter.name);
    if (text !== undefined)
      values[parameter.name] = convert(parameter.name, parameter.type, text, parameter.options ?? []);
    else if (parameter.default !== null && parameter.default !== undefined) values[parameter.name] = parameter.default;
    else if (parameter.required) {
      const choices =
        parameter.options === undefined || parameter.options.length === 0 ? '' : ` (${parameter.options.join(', ')})`;
      throw usageError(
        `${label} needs the parameter ${parameter.name} of type ${parameter.type}${choices}`,
        `add -p ${parameter.name}=…`,
      );
    }
  }
  return values;
}

/** @throws CliError (exit 2) for the first name that is not among the known ones */
export function refuseOthers(names: readonly string[], known: readonly string[], label: string): void {
  const unknown = names.find(
    (name) => !known.includes(name) && !(name.startsWith('header.') && known.includes('body')),
  );
  if (unknown === undefined) return;
  throw usageError(`${label} has no parameter ${unknown}`, didYouMean(unknown, known, 'it takes none'));
}

/** The item of that name, or the only one. */
export function pick<T>(items: readonly T[], nameOf: (item: T) => string, wanted: string | undefined, kind: string): T {
  const [only] = items;
  if (only === undefined)
    throw new CliError('not-declared', `the plugin has no ${kind}`, {
      remedy: 'dify plugin module list shows what it has',
    });
  if (wanted === undefined) {
    if (items.length === 1) return only;
    throw usageError(
      `the plugin has ${items.length} of the kind ${kind}: say which`,
      `one of ${items.map(nameOf).join(', ')}`,
    );
  }
  const found = items.find((item) => nameOf(item) === wanted);
  if (found === undefined)
    throw usageError(`the plugin has no ${kind} named ${wanted}`, didYouMean(wanted, items.map(nameOf), 'it has none'));
  return found;
}

export const optionsOf = (parameter: { options?: readonly { value: unknown }[] | null }): string[] =>
  (parameter.options ?? []).map((option) => String(option.value));
