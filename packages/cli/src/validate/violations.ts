/**
 * Field rules of one YAML file as findings with line and column: the violations come from the tables of the format, the
 * places from the tree.
 */
import { type FieldNode, findViolations, type ObjectShape, type ShapeNode } from '@plugin-daemon/plugin-package/schema';
import type { PathStep } from '@plugin-daemon/wire-schema';
import type { Finding, Severity } from './finding.ts';
import { child, place, textOf, type YamlDocument, type YamlNode } from './yaml-tree.ts';

interface Located {
  /** The path in the words of the file: `parameters[0].type`. */
  path: string;
  node: YamlNode | undefined;
  /** The nearest node that exists. */
  nearest: YamlNode | undefined;
  field: FieldNode | undefined;
  /** The path leads into files of their own, which are checked there. */
  elsewhere: boolean;
}

function objectOf(shape: ShapeNode): ObjectShape | undefined {
  if (shape.kind === 'record') return shape;
  if (shape.kind === 'array') return objectOf(shape.of);
  if (shape.kind === 'configs' || shape.kind === 'entries' || shape.kind === 'models') return shape.of;
  return undefined;
}

function locate(shape: ObjectShape, root: YamlNode | null, path: readonly PathStep[]): Located {
  let owner: ObjectShape | undefined = shape;
  let node: YamlNode | undefined = root ?? undefined;
  const result: Located = { path: '', node, nearest: node, field: undefined, elsewhere: false };
  const step = (key: string | number): void => {
    node = child(node, key);
    if (node !== undefined) result.nearest = node;
    result.path += typeof key === 'number' ? `[${key}]` : `${result.path === '' ? '' : '.'}${key}`;
  };
  for (const { key } of path) {
    if (typeof key === 'number') step(elementOf(result, node, key));
    if (typeof key !== 'string') continue;
    const field: FieldNode | undefined = owner?.fields.find((candidate) => candidate.key === key);
    if (field === undefined) break;
    result.field = field;
    const { fallback } = field;
    step(
      fallback !== undefined && child(node, key) === undefined && child(node, fallback) !== undefined ? fallback : key,
    );
    owner = objectOf(field.shape);
  }
  result.node = node;
  return result;
}

/** Where an element of the declaration stands in the file. */
function elementOf(located: Located, list: YamlNode | undefined, index: number): number {
  const kind = located.field?.shape.kind;
  if (kind === 'models') located.elsewhere = true;
  if (kind !== 'entries') return index;
  // Entries are inline objects and paths mixed; inline ones come first in the declaration.
  const inline =
    list?.kind === 'sequence' ? list.items.flatMap((item, at) => (item.kind === 'mapping' ? [at] : [])) : [];
  const at = inline[index];
  if (at === undefined) located.elsewhere = true;
  return at ?? 0;
}

/** What the rule means, in a sentence, and what to do. */
function explain(located: Located, tag: string): { message: string; remedy: string } {
  const { path, field } = located;
  const broken = [...(field?.rules ?? []), ...(field?.each ?? [])].find((rule) => rule.tag === tag);
  const value = textOf(located.node);
  const shown = value === undefined ? '' : ` ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  const values = broken?.values;
  if (values !== undefined) {
    if (value === undefined || value === '')
      return { message: `${path} is missing`, remedy: `add it: ${values.join(', ')}` };
    // The daemon's own tables say no more than that it is no type; installations with Dify end with its parser.
    if (tag === 'event_parameter_type' && value === 'secret-input')
      return {
        message: `${path}: Dify refuses a plugin with a secret-input among ${path.startsWith('subscription_constructor.') ? 'subscription' : 'event'} parameters`,
        remedy:
          'ask for it in subscription_constructor.credentials_schema or subscription_schema, which may hold secrets',
      };
    return { message: `${path}:${shown} is not allowed`, remedy: `use one of ${values.join(', ')}` };
  }
  const limit = broken?.bound?.limit;
  switch (tag) {
    case 'required':
      return { message: `${path} is missing or empty`, remedy: `add ${path}` };
    case 'max':
    case 'lte':
      return { message: `${path} is too long or too large: at most ${limit ?? '?'}`, remedy: 'shorten it' };
    case 'lt':
      return { message: `${path} is too long: at most ${limit === undefined ? '?' : limit - 1}`, remedy: 'shorten it' };
    case 'min':
      return { message: `${path} must be at least ${limit ?? '?'}`, remedy: `raise it to ${limit ?? 'the limit'}` };
    case 'version':
    case 'manifest_version':
      return {
        message: `${path}:${shown} is not a version`,
        remedy: 'write three numbers such as 0.1.0, with an optional suffix such as 0.1.0-beta',
      };
    case 'url':
    case 'http_url':
      return {
        message: `${path}:${shown} is not an address`,
        remedy: 'write a complete address such as https://github.com/acme/weather',
      };
    case 'is_scope':
      return {
        message: `${path}:${shown} is not a scope of this type`,
        remedy:
          'model-selector: llm, text-embedding, rerank, tts, speech2text, moderation, vision, document, tool-call, joined by &; app-selector: all, chat, workflow, completion; other types have none',
      };
    case 'is_basic_type':
      return {
        message: `${path} must be a text, a number or a boolean`,
        remedy: 'lists and mappings are not allowed here',
      };
    default:
      if (tag.includes('name'))
        return { message: `${path}:${shown} is not a name`, remedy: 'use letters, digits, - and _ only' };
      return {
        message: `${path}:${shown} breaks the rule ${tag}`,
        remedy: 'see the JSON Schema: dify plugin validate --schemas <folder>',
      };
  }
}

export function violationFindings(
  document: YamlDocument,
  shape: ObjectShape,
  value: unknown,
  severity: (path: string) => Severity,
): Finding[] {
  const findings: Finding[] = [];
  for (const { tag, path } of findViolations(shape, value)) {
    const located = locate(shape, document.root, path);
    if (located.elsewhere) continue;
    const { message, remedy } = explain(located, tag);
    const at = place(document, located.node ?? located.nearest);
    findings.push({
      severity: severity(located.path),
      rule: `field/${tag}`,
      message,
      remedy,
      file: document.file,
      ...(at ?? { line: 1, column: 1 }),
    });
  }
  return findings;
}
