/** `multiple` of parameters: on which types it means something, and what their default must then be. */
import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, itemsOf, textOf, type YamlNode } from './yaml-tree.ts';

/** By kind of module: the types that may be chosen from more than once. The SDK refuses a tool with others at its start. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  tools: ['select', 'dynamic-select'],
  triggers: ['select', 'dynamic-select', 'checkbox'],
};

const isTrue = (node: YamlNode | undefined): boolean => /^(?:true|yes|on|y)$/i.test(textOf(node) ?? '');

export function checkMultiple(context: RuleContext): void {
  for (const file of context.read) {
    const lists =
      file.role === 'child'
        ? [descend(file.document.root, 'parameters')]
        : file.role === 'provider' && file.kind === 'triggers'
          ? [descend(file.document.root, 'subscription_constructor', 'parameters')]
          : [];
    for (const parameter of lists.flatMap((list) => itemsOf(list))) checkParameter(context, file, parameter);
  }
}

function checkParameter(context: RuleContext, file: ReadFile, parameter: YamlNode): void {
  const multiple = child(parameter, 'multiple');
  if (multiple === undefined) return;
  const name = textOf(child(parameter, 'name')) ?? '';
  const type = textOf(child(parameter, 'type')) ?? '';
  const types = TYPES[file.kind];
  if (types === undefined) {
    if (isTrue(multiple))
      report(
        context,
        file,
        multiple,
        'warning',
        'parameter/multiple',
        `multiple of ${name} is not read: parameters of ${file.kind} have no such key`,
        'remove it',
      );
    return;
  }
  if (isTrue(multiple) && !types.includes(type)) {
    report(
      context,
      file,
      multiple,
      'error',
      'parameter/multiple',
      `parameter ${name} of type ${type} cannot be multiple`,
      `remove multiple, or use the type ${types.join(' or ')}; the type array takes lists of anything`,
    );
    return;
  }
  const fallback = child(parameter, 'default');
  if (file.kind !== 'tools' || fallback === undefined || !types.includes(type) || isNull(fallback)) return;
  if ((fallback.kind === 'sequence') !== isTrue(multiple))
    report(
      context,
      file,
      fallback,
      'error',
      'parameter/multiple',
      `the default of ${name} must ${isTrue(multiple) ? '' : 'not '}be a list`,
      isTrue(multiple) ? 'write a list, also of one' : 'write one value, or set multiple: true',
    );
}

const isNull = (node: YamlNode): boolean => /^(?:|null|~)$/i.test(textOf(node) ?? 'x');
