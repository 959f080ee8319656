/** Rules of values in providers, parameters and models: what the SDK refuses at start, what Dify's parser refuses or does not know. */
import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, itemsOf, textOf, type YamlNode } from './yaml-tree.ts';

/** Parameters whose defaults do not fit, and types or tags that Dify's parser does not know. */
export function checkValues(context: RuleContext): void {
  for (const file of context.read) {
    const { root } = file.document;
    if (file.role === 'child')
      for (const parameter of itemsOf(descend(root, 'parameters'))) checkParameter(context, file, parameter);
    if (file.role === 'model') checkModel(context, file);
    if (file.role === 'provider' && ['tools', 'agent_strategies', 'datasources'].includes(file.kind)) {
      for (const tag of itemsOf(descend(root, 'identity', 'tags'))) {
        if (textOf(tag) === 'agent' || textOf(tag) === 'trigger')
          report(
            context,
            file,
            tag,
            'warning',
            'dify/tag',
            `Dify does not know the tag ${textOf(tag)} for a provider`,
            'remove it here; in manifest.yaml it is fine',
          );
      }
    }
  }
}

function checkParameter(context: RuleContext, file: ReadFile, parameter: YamlNode): void {
  const name = textOf(child(parameter, 'name')) ?? '';
  const type = textOf(child(parameter, 'type')) ?? '';
  const fallback = child(parameter, 'default');
  const text = textOf(fallback);
  const options = itemsOf(child(parameter, 'options'));
  if (file.kind === 'tools' && (type === 'date' || type === 'date-range')) {
    report(
      context,
      file,
      child(parameter, 'type'),
      'warning',
      'dify/parameter-type',
      `older versions of Dify do not know the parameter type ${type}`,
      'set minimum_dify_version, or use string',
    );
  }
  if (type === 'select' && options.length === 0)
    report(
      context,
      file,
      child(parameter, 'type'),
      'warning',
      'parameter/options',
      `parameter ${name} is a select without options`,
      'add options, or use dynamic-select',
    );
  if (fallback === undefined || text === undefined || text === '' || text === 'null' || text === '~') return;
  if (type === 'select' && options.length > 0 && !options.some((option) => textOf(child(option, 'value')) === text)) {
    report(
      context,
      file,
      fallback,
      'error',
      'parameter/default',
      `the default "${text}" of ${name} is not among its options`,
      `use one of ${options.map((option) => textOf(child(option, 'value'))).join(', ')}`,
    );
  }
  if (type === 'number') {
    const value = Number(text);
    const min = Number(textOf(child(parameter, 'min')) ?? Number.NaN);
    const max = Number(textOf(child(parameter, 'max')) ?? Number.NaN);
    if (Number.isNaN(value))
      report(
        context,
        file,
        fallback,
        'error',
        'parameter/default',
        `the default "${text}" of ${name} is not a number`,
        'write a number',
      );
    else if (value < min || value > max)
      report(
        context,
        file,
        fallback,
        'warning',
        'parameter/default',
        `the default ${text} of ${name} lies outside min and max`,
        'change the default or the limits',
      );
  }
  if (type === 'boolean' && !/^(true|false|0|1)$/i.test(text))
    report(
      context,
      file,
      fallback,
      'error',
      'parameter/default',
      `the default "${text}" of ${name} is not a boolean`,
      'write true or false',
    );
}

const MODEL_TYPES = ['llm', 'text-embedding', 'rerank', 'speech2text', 'moderation', 'tts'];
const FEATURES = [
  'tool-call',
  'multi-tool-call',
  'agent-thought',
  'vision',
  'stream-tool-call',
  'document',
  'video',
  'audio',
  'structured-output',
  'polling',
];

function checkModel(context: RuleContext, file: ReadFile): void {
  const { root } = file.document;
  const type = textOf(child(root, 'model_type')) ?? '';
  for (const key of ['model', 'model_type', 'model_properties']) {
    if (child(root, key) === undefined)
      report(context, file, root ?? undefined, 'error', 'model/required', `${key} is missing`, `add ${key}`);
  }
  if (type !== '' && !MODEL_TYPES.includes(type))
    report(
      context,
      file,
      child(root, 'model_type'),
      'warning',
      'dify/model-type',
      `Dify does not know the model type ${type}`,
      `use one of ${MODEL_TYPES.join(', ')}`,
    );
  for (const feature of itemsOf(child(root, 'features'))) {
    if (!FEATURES.includes(textOf(feature) ?? ''))
      report(
        context,
        file,
        feature,
        'warning',
        'dify/feature',
        `Dify does not know the feature ${textOf(feature) ?? ''}`,
        `use some of ${FEATURES.join(', ')}`,
      );
  }
  for (const rule of itemsOf(child(root, 'parameter_rules'))) {
    if (child(rule, 'use_template') === undefined && child(rule, 'type') === undefined) {
      report(
        context,
        file,
        rule,
        'error',
        'model/parameter-type',
        `parameter ${textOf(child(rule, 'name')) ?? ''} has neither type nor use_template`,
        'add type: float, int, string, boolean or text',
      );
    }
  }
}
