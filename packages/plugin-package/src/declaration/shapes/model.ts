import { rule } from '@plugin-daemon/wire-schema';
import {
  any,
  basic,
  boolean,
  decimal,
  float,
  int,
  list,
  listed,
  lt,
  lte,
  map,
  mapped,
  named,
  nullable,
  object,
  omitted,
  oneOf,
  required,
  type Shape,
  text,
  zero,
} from '../shape.ts';
import { applyTemplate } from '../templates.ts';
import type {
  CredentialForm,
  FormOption,
  I18n,
  ModelCredentialSchema,
  ModelDeclaration,
  ModelHelp,
  ModelParameterRule,
  ModelPosition,
  ModelPricing,
  ModelProviderDeclaration,
  ProviderCredentialSchema,
  ShowOn,
} from '../types.ts';
import { i18n } from './shared.ts';

/** Tables of docs/wire/packages.md#models. */

export const MODEL_TYPES = [
  'llm',
  'text-embedding',
  'rerank',
  'speech2text',
  'moderation',
  'tts',
  'text2img',
  'multimodal-embedding',
  'multimodal-rerank',
] as const;

const modelTypeRule = oneOf(MODEL_TYPES, 'model_type');
const methodRule = oneOf(['predefined-model', 'customizable-model'], 'model_provider_configurate_method');
const modelType = named('plugin_entities.ModelType');
const method = named('plugin_entities.ModelProviderConfigurateMethod');

/** Upstream decodes these by way of an alias of their types, which its messages show. */
const ALIASED = { typeName: 'struct { *plugin_entities.alias }', within: '.alias' };

const hasTypeOrTemplate = rule(
  'parameter_rule',
  (_, { use_template, type }) => (use_template ?? null) !== null || (type ?? null) !== null,
);

const parameterRule = object<ModelParameterRule>(
  'ModelParameterRule',
  {
    name: zero(text, 'Name', { rules: [required, lt(256)] }),
    use_template: nullable(text, 'UseTemplate', { rules: [lt(256)] }),
    label: zero(i18n, 'Label'),
    type: nullable(named('plugin_entities.ModelParameterType'), 'Type', {
      rules: [oneOf(['float', 'int', 'string', 'boolean', 'text'], 'model_parameter_type')],
    }),
    help: nullable(i18n, 'Help'),
    required: zero(boolean, 'Required'),
    default: nullable(any, 'Default', { rules: [basic] }),
    min: nullable(float, 'Min'),
    max: nullable(float, 'Max'),
    precision: nullable(int, 'Precision'),
    options: listed(list(text), 'Options', { each: [lt(256)] }),
  },
  { json: ALIASED, decoded: applyTemplate },
);

const pricing = object<ModelPricing>('ModelPriceConfig', {
  input: zero(decimal, 'Input'),
  output: nullable(decimal, 'Output'),
  unit: zero(decimal, 'Unit'),
  currency: zero(text, 'Currency', { rules: [required] }),
});

export const model = object<ModelDeclaration>(
  'ModelDeclaration',
  {
    model: zero(text, 'Model', { rules: [required, lt(256)] }),
    label: zero(i18n, 'Label'),
    model_type: zero(modelType, 'ModelType', { rules: [required, modelTypeRule] }),
    features: nullable(list(text), 'Features', { rules: [lte(256)], each: [lt(256)] }),
    fetch_from: zero(method, 'FetchFrom', { rules: [methodRule], optional: true }),
    model_properties: mapped(map, 'ModelProperties'),
    deprecated: zero(boolean, 'Deprecated'),
    parameter_rules: listed(list(parameterRule), 'ParameterRules', {
      rules: [lte(128)],
      each: [hasTypeOrTemplate],
    }),
    pricing: nullable(pricing, 'PriceConfig'),
  },
  {
    json: ALIASED,
    decoded(value) {
      if (value['fetch_from'] === '') value['fetch_from'] = 'predefined-model';
    },
    completed(value) {
      const label = value['label'] as I18n;
      if (label.en_US === '') value['label'] = { ...label, en_US: value['model'] };
    },
  },
);

const showOn = object<ShowOn>('ModelProviderFormShowOnObject', {
  variable: zero(text, 'Variable', { rules: [required, lt(256)] }),
  value: zero(text, 'Value', { rules: [required, lt(256)] }),
});

const formOption = object<FormOption>('ModelProviderFormOption', {
  label: zero(i18n, 'Label'),
  value: zero(text, 'Value', { rules: [required, lt(256)] }),
  show_on: listed(list(showOn), 'ShowOn', { rules: [lte(16)] }),
});

const credentialForm = object<CredentialForm>('ModelProviderCredentialFormSchema', {
  variable: zero(text, 'Variable', { rules: [required, lt(256)] }),
  label: zero(i18n, 'Label'),
  type: zero(named('plugin_entities.ModelProviderFormType'), 'Type', {
    rules: [required, oneOf(['text-input', 'secret-input', 'select', 'radio', 'switch'], 'model_provider_form_type')],
  }),
  required: zero(boolean, 'Required'),
  default: nullable(text, 'Default', { rules: [lt(256)] }),
  options: listed(list(formOption), 'Options', { rules: [lte(128)] }),
  help: nullable(i18n, 'Help'),
  url: nullable(text, 'URL'),
  placeholder: nullable(i18n, 'Placeholder'),
  max_length: zero(int, 'MaxLength'),
  show_on: listed(list(showOn), 'ShowOn', { rules: [lte(16)] }),
});

const forms = listed(list(credentialForm), 'CredentialFormSchemas', { rules: [lte(32)] });

const position = object<ModelPosition>('ModelPosition', {
  llm: omittedPosition('LLM'),
  text_embedding: omittedPosition('TextEmbedding'),
  rerank: omittedPosition('Rerank'),
  tts: omittedPosition('TTS'),
  speech2text: omittedPosition('Speech2text'),
  moderation: omittedPosition('Moderation'),
});

/** A list that is left out only when absent: an empty one stays. */
function omittedPosition(label: string) {
  return { ...omitted(list(text), label), absent: 'omit-null' as const };
}

const help = object<ModelHelp>('ModelProviderHelpEntity', {
  title: zero(i18n, 'Title'),
  url: zero(i18n, 'URL'),
});

const models: Shape<ModelDeclaration[]> = { kind: 'models', of: model };

export const modelProvider = object<ModelProviderDeclaration>('ModelProviderDeclaration', {
  provider: zero(text, 'Provider', { rules: [required, lt(256)] }),
  label: zero(i18n, 'Label'),
  description: nullable(i18n, 'Description'),
  icon_small: nullable(i18n, 'IconSmall'),
  icon_large: nullable(i18n, 'IconLarge'),
  icon_small_dark: nullable(i18n, 'IconSmallDark'),
  icon_large_dark: nullable(i18n, 'IconLargeDark'),
  background: nullable(text, 'Background'),
  help: nullable(help, 'Help'),
  supported_model_types: nullable(list(modelType), 'SupportedModelTypes', {
    rules: [required, lte(16)],
    each: [modelTypeRule],
    optional: false,
  }),
  configurate_methods: nullable(list(method), 'ConfigurateMethods', {
    rules: [required, lte(16)],
    each: [methodRule],
    optional: false,
  }),
  provider_credential_schema: nullable(
    object<ProviderCredentialSchema>('ModelProviderCredentialSchema', { credential_form_schemas: forms }),
    'ProviderCredentialSchema',
  ),
  model_credential_schema: nullable(
    object<ModelCredentialSchema>('ModelCredentialSchema', {
      model: zero(
        object<ModelCredentialSchema['model']>('FieldModelSchema', {
          label: zero(i18n, 'Label'),
          placeholder: nullable(i18n, 'Placeholder'),
        }),
        'Model',
      ),
      credential_form_schemas: forms,
    }),
    'ModelCredentialSchema',
  ),
  position: omitted(position, 'Position', { dive: false }),
  models: listed(models, 'Models', { dive: false }),
});

/** Kinds of models that a provider file may group, with the words messages use for their position files. */
export const MODEL_GROUPS = [
  ['llm', 'llm'],
  ['text_embedding', 'text embedding'],
  ['rerank', 'rerank'],
  ['tts', 'tts'],
  ['speech2text', 'speech2text'],
  ['moderation', 'moderation'],
] as const satisfies readonly (readonly [keyof ModelPosition, string])[];

export const positionFile: Shape<string[]> = list(text);
