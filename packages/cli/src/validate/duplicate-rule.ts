/** Names that must differ and do not: the second of two tools, models, parameters … is never found, or takes the first one's place. */
import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, itemsOf, textOf, type YamlNode } from './yaml-tree.ts';

interface Named {
  file: ReadFile;
  node: YamlNode | undefined;
  /** What must differ. */
  name: string;
  /** In words. */
  shown: string;
}

const WORDS: Readonly<Record<string, string>> = {
  tools: 'tool',
  agent_strategies: 'agent strategy',
  datasources: 'datasource',
  triggers: 'event',
  endpoints: 'endpoint',
  models: 'model',
};

export function checkDuplicates(context: RuleContext): void {
  for (const kind of Object.keys(WORDS)) {
    const modules = context.read.flatMap((file) => (file.kind === kind ? namesOf(file, kind) : []));
    refuseSecond(context, modules, 'module/duplicate', 'give each a name of its own, and name each file once');
  }
  for (const file of context.read) {
    if (file.role === 'provider') {
      const paths = itemsOf(descend(file.document.root, listOf(file.kind))).flatMap((node): Named[] => {
        const name = textOf(node);
        return name === undefined ? [] : [{ file, node, name, shown: `file ${name}` }];
      });
      refuseSecond(context, paths, 'module/duplicate', 'name each file once');
    }
    for (const [keys, word] of LISTS) {
      const list = descend(file.document.root, ...keys);
      const entries = itemsOf(list).flatMap((item): Named[] => {
        const node = child(item, 'name') ?? child(item, 'variable');
        const name = textOf(node);
        return name === undefined || name === '' ? [] : [{ file, node, name, shown: `${word} ${name}` }];
      });
      refuseSecond(context, entries, 'name/duplicate', 'give each a name of its own');
    }
  }
}

/** Lists whose entries are told apart by their names. */
const LISTS: readonly (readonly [keys: readonly string[], word: string])[] = [
  [['parameters'], 'parameter'],
  [['parameter_rules'], 'parameter rule'],
  [['settings'], 'setting'],
  [['credentials_schema'], 'credential'],
  [['credentials_for_provider'], 'credential'],
  [['provider_credential_schema', 'credential_form_schemas'], 'credential'],
  [['model_credential_schema', 'credential_form_schemas'], 'credential'],
  [['subscription_schema'], 'subscription property'],
  [['subscription_constructor', 'parameters'], 'subscription parameter'],
  [['subscription_constructor', 'credentials_schema'], 'credential'],
  [['oauth_schema', 'client_schema'], 'OAuth client setting'],
  [['oauth_schema', 'credentials_schema'], 'OAuth credential'],
];

/** The key of a provider's file that lists its modules. */
const listOf = (kind: string): string =>
  kind === 'agent_strategies' ? 'strategies' : kind === 'triggers' ? 'events' : kind;

function namesOf(file: ReadFile, kind: string): Named[] {
  const { root } = file.document;
  if (kind === 'models') {
    if (file.role !== 'model') return [];
    const node = child(root, 'model');
    const type = textOf(child(root, 'model_type')) ?? '';
    const name = textOf(node) ?? '';
    return name === '' ? [] : [{ file, node, name: `${type}\n${name}`, shown: `model ${name} of the type ${type}` }];
  }
  if (file.role === 'child') return named(file, root ?? undefined, kind);
  // Modules may also stand inside the provider's own file.
  return file.role === 'provider'
    ? itemsOf(descend(root, listOf(kind))).flatMap((item) => (item.kind === 'mapping' ? named(file, item, kind) : []))
    : [];
}

function named(file: ReadFile, module: YamlNode | undefined, kind: string): Named[] {
  const word = WORDS[kind] ?? kind;
  if (kind === 'endpoints') {
    const node = child(module, 'path');
    const name = `${textOf(child(module, 'method')) ?? ''} ${textOf(node) ?? ''}`;
    return name.trim() === '' ? [] : [{ file, node, name, shown: `${word} ${name}` }];
  }
  const node = descend(module, 'identity', 'name');
  const name = textOf(node) ?? '';
  return name === '' ? [] : [{ file, node, name, shown: `${word} ${name}` }];
}

function refuseSecond(context: RuleContext, entries: readonly Named[], rule: string, remedy: string): void {
  const first = new Map<string, Named>();
  for (const entry of entries) {
    const before = first.get(entry.name);
    if (before === undefined) {
      first.set(entry.name, entry);
      continue;
    }
    const where = before.file === entry.file ? 'twice' : `in ${before.file.document.file} as well`;
    report(context, entry.file, entry.node, 'error', rule, `${entry.shown} is declared ${where}`, remedy);
  }
}
