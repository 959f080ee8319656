/** The request for a call of any kind. */
import { actionRow } from '@plugin-daemon/plugin-host/actions';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { usageError } from '../../errors.ts';
import type { CallSpec, Inputs } from './call.ts';
import { datasourceRequest } from './datasource.ts';
import { endpointRequest } from './http.ts';
import { KINDS, MODEL_KINDS } from './kinds.ts';
import { modelRequest } from './model.ts';
import { strategyRequest, toolRequest } from './tool.ts';
import { triggerRequest } from './trigger.ts';
import { convert } from './values.ts';

function built(declaration: PluginDeclaration, kind: string, name: string | undefined, inputs: Inputs): CallSpec {
  if (MODEL_KINDS[kind] !== undefined) return modelRequest(declaration, kind, name, inputs);
  switch (kind) {
    case 'tool':
      return toolRequest(declaration, name, inputs);
    case 'agent-strategy':
      return strategyRequest(declaration, name, inputs);
    case 'endpoint':
      return endpointRequest(declaration, name, inputs);
    case 'datasource':
      return datasourceRequest(declaration, name, inputs);
    case 'trigger':
    case 'event':
      return triggerRequest(declaration, kind, name, inputs);
    default:
      throw usageError(`unknown kind ${kind}`, `one of ${KINDS.join(', ')}`);
  }
}

/** The request for one call. @throws CliError (exit 2) that names what is missing and what is allowed */
export function buildCall(
  declaration: PluginDeclaration,
  kind: string,
  name: string | undefined,
  inputs: Inputs,
): CallSpec {
  const { action } = inputs;
  if (action === undefined) {
    const spec = built(declaration, kind, name, inputs);
    return { ...spec, request: { ...spec.request, ...inputs.data } };
  }
  const row = actionRow(action);
  if (row === undefined) throw usageError(`unknown action ${action}`);
  const provider =
    declaration.tool?.identity.name ??
    declaration.model?.provider ??
    declaration.datasource?.identity.name ??
    declaration.trigger?.identity.name ??
    declaration.agent_strategy?.identity.name ??
    '';
  const extra = Object.fromEntries([...inputs.params].map(([key, value]) => [key, convert(key, 'any', value)]));
  const model =
    MODEL_KINDS[kind] === undefined
      ? {}
      : {
          model: name ?? declaration.model?.models.find((each) => each.model_type === MODEL_KINDS[kind]?.type)?.model,
          model_type: MODEL_KINDS[kind]?.type,
        };
  return {
    type: row.type,
    action,
    request: { provider, credentials: inputs.credentials, ...model, ...extra, ...inputs.data },
    label: action,
  };
}
