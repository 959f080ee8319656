import {
  array,
  boolean,
  formatViolations,
  object,
  oneOf,
  record,
  required,
  string,
  validate,
} from '@plugin-daemon/wire-schema';
import { difyKind } from './kind.ts';

const ModelConfig = record('ModelConfig', {
  provider: string('Provider').check(required),
  name: string('Name').check(required),
  mode: string('Mode').check(required),
  completion_params: object('CompletionParams'),
});

const Parameter = record('Parameter', {
  name: string('Name').check(required),
  type: string('Type').check(
    required,
    oneOf(['string', 'number', 'bool', 'select', 'array[string]', 'array[number]', 'array[object]']),
  ),
  options: array('Options', string('')),
  description: string('Description'),
  required: boolean('Required'),
});

const Class = record('Class', { id: string('ID').check(required), name: string('Name').check(required) });

const question = {
  model: { name: 'Model', record: ModelConfig },
  instruction: string('Instruction'),
  query: string('Query').check(required),
};

const NodeResult = record('InvokeNodeResponse', {
  process_data: object('ProcessData').check(required),
  outputs: object('Outputs').check(required),
  inputs: object('Inputs').check(required),
});

/** Plugins rely on all three parts. */
function complete(data: string): string {
  const violations = validate(NodeResult, JSON.parse(data));
  if (violations.length > 0) throw new Error(`validate request failed: ${formatViolations(violations)}`);
  return data;
}

export const nodeKinds = [
  difyKind({
    type: 'node_parameter_extractor',
    path: 'invoke/parameter-extractor',
    failure: 'invoke parameter extractor failed: ',
    request: record('InvokeParameterExtractorRequest', {
      parameters: array('Parameters', Parameter, { dive: true }).check(required),
      ...question,
    }),
    adapt: complete,
  }),
  difyKind({
    type: 'node_question_classifier',
    path: 'invoke/question-classifier',
    failure: 'invoke question classifier failed: ',
    request: record('InvokeQuestionClassifierRequest', {
      classes: array('Classes', Class, { dive: true }).check(required),
      ...question,
    }),
    adapt: complete,
  }),
];
