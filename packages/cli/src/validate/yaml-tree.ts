/** Walking a YAML tree that keeps positions. */
import type { parseYaml } from '@plugin-daemon/plugin-package/schema';

export type YamlDocument = ReturnType<typeof parseYaml>;
export type YamlNode = NonNullable<YamlDocument['root']>;

export function child(node: YamlNode | null | undefined, key: string | number): YamlNode | undefined {
  if (node?.kind === 'mapping') {
    if (typeof key === 'number') return node.pairs[key]?.value;
    return node.pairs.find((pair) => pair.key.kind === 'scalar' && pair.key.text === key)?.value;
  }
  if (node?.kind === 'sequence' && typeof key === 'number') return node.items[key];
  return undefined;
}

export function descend(
  node: YamlNode | null | undefined,
  ...keys: readonly (string | number)[]
): YamlNode | undefined {
  let current: YamlNode | null | undefined = node;
  for (const key of keys) current = child(current, key);
  return current ?? undefined;
}

export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' ? node.text : undefined;
}

export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === 'sequence' ? node.items : [];
}

export function place(
  document: YamlDocument,
  node: YamlNode | undefined,
): { line: number; column: number } | undefined {
  return node === undefined ? undefined : document.positions.of(node.at);
}
