/**
 * `plugin module list`: everything a plugin declares, one block each (docs/wire/cli.md#modules-permissions-readmes), datasources and events
 * included.
 */
import type { Json, PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command.ts';
import { declarationOf, openSource } from '../source/source.ts';

interface Parameter {
  name: string;
  type: string | null;
  required: boolean;
  description?: string;
  default?: Json | undefined;
  min?: number | null;
  max?: number | null;
  options?: readonly { value: string; label: string }[] | readonly string[];
}

export interface ModuleEntry {
  kind: 'tool' | 'agent-strategy' | 'model' | 'endpoint' | 'datasource' | 'event';
  name: string;
  fields: readonly (readonly [string, string])[];
  parameters: readonly Parameter[];
}

export function modulesOf(declaration: PluginDeclaration): ModuleEntry[] {
  const modules: ModuleEntry[] = [];
  for (const tool of declaration.tool?.tools ?? []) {
    modules.push({
      kind: 'tool',
      name: tool.identity.name,
      fields: [
        ['Author', tool.identity.author],
        ['Label', tool.identity.label.en_US],
        ['Description', tool.description.human.en_US],
      ],
      parameters: (tool.parameters ?? []).map((parameter) => ({
        name: parameter.name,
        type: parameter.type,
        required: parameter.required,
        description: parameter.human_description.en_US,
        default: parameter.default,
        options: (parameter.options ?? []).map((option) => ({ value: option.value, label: option.label.en_US })),
      })),
    });
  }
  for (const strategy of declaration.agent_strategy?.strategies ?? []) {
    modules.push({
      kind: 'agent-strategy',
      name: strategy.identity.name,
      fields: [
        ['Author', strategy.identity.author],
        ['Label', strategy.identity.label.en_US],
        ['Description', strategy.description.en_US],
      ],
      parameters: (strategy.parameters ?? []).map(({ name, type, required, default: value }) => ({
        name,
        type,
        required,
        default: value,
      })),
    });
  }
  for (const model of declaration.model?.models ?? []) {
    modules.push({
      kind: 'model',
      name: model.model,
      fields: [
        ['Type', model.model_type],
        ['Label', model.label.en_US],
      ],
      parameters: model.parameter_rules.map((rule) => ({
        name: rule.name,
        type: rule.type,
        required: rule.required,
        ...(rule.help === null ? {} : { description: rule.help.en_US }),
        default: rule.default,
        min: rule.min,
        max: rule.max,
        options: rule.options,
      })),
    });
  }
  for (const endpoint of declaration.endpoint?.endpoints ?? []) {
    modules.push({
      kind: 'endpoint',
      name: 'Endpoints',
      fields: [
        ['Path', endpoint.path],
        ['Method', endpoint.method],
      ],
      parameters: [],
    });
  }
  for (const datasource of declaration.datasource?.datasources ?? []) {
    modules.push({
      kind: 'datasource',
      name: datasource.identity.name,
      fields: [
        ['Author', datasource.identity.author],
        ['Type', declaration.datasource?.provider_type ?? ''],
        ['Label', datasource.identity.label.en_US],
        ['Description', datasource.description.en_US],
      ],
      parameters: (datasource.parameters ?? []).map(({ name, type, required, default: value, description }) => ({
        name,
        type,
        required,
        description: description.en_US,
        default: value,
      })),
    });
  }
  for (const event of declaration.trigger?.events ?? []) {
    modules.push({
      kind: 'event',
      name: event.identity.name,
      fields: [
        ['Author', event.identity.author],
        ['Label', event.identity.label.en_US],
        ['Description', event.description.en_US],
      ],
      parameters: (event.parameters ?? []).map(({ name, type, required, default: value }) => ({
        name,
        type,
        required,
        default: value ?? null,
      })),
    });
  }
  return modules;
}

const present = (value: Json | undefined): boolean =>
  value !== null && value !== undefined && value !== '' && value !== false && value !== 0;
const show = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value));

function parameterLines(parameter: Parameter): string[] {
  const lines = [
    `  - Name: ${parameter.name}`,
    ...(parameter.type === null ? [] : [`    Type: ${parameter.type}`]),
    `    Required: ${parameter.required}`,
  ];
  if (parameter.description !== undefined && parameter.description !== '')
    lines.push(`    Description: ${parameter.description}`);
  if (present(parameter.default)) lines.push(`    Default: ${show(parameter.default)}`);
  if (parameter.min !== null && parameter.min !== undefined) lines.push(`    Min: ${parameter.min}`);
  if (parameter.max !== null && parameter.max !== undefined) lines.push(`    Max: ${parameter.max}`);
  const options = parameter.options ?? [];
  if (options.length > 0) {
    const named = options.filter((option) => typeof option !== 'string');
    if (named.length === 0) lines.push(`    Options: ${options.join(', ')}`);
    else
      lines.push(
        '    Options:',
        ...named.flatMap((option) => [`      - Value: ${option.value}`, `        Label: ${option.label}`]),
      );
  }
  return lines;
}

function block(module: ModuleEntry): string {
  const lines = [
    '',
    `========== ${module.name} ==========`,
    ...module.fields.filter(([, value]) => value !== '').map(([key, value]) => `${key}: ${value}`),
  ];
  if (module.parameters.length > 0) lines.push('Parameters:', ...module.parameters.flatMap(parameterLines));
  return lines.join('\n');
}

export async function run({ args, signal }: Call): Promise<Outcome> {
  const { declaration } = declarationOf(await openSource(args[0] ?? '', signal));
  const modules = modulesOf(declaration);
  const data = modules.map(({ kind, name, fields, parameters }) => ({
    kind,
    name,
    ...Object.fromEntries(fields.map(([key, value]) => [key.toLowerCase(), value])),
    parameters,
  }));
  return { text: modules.map(block).join('\n'), data: { modules: data } };
}
