/** Events that come in, and what a plugin makes of them. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import { CliError } from '../../errors.ts';
import type { CallSpec, Inputs } from './call.ts';
import { HTTP_PARAMETERS, httpFrom, isHttpParameter } from './http.ts';
import { convertAll, optionsOf, pick, refuseOthers } from './parameters.ts';
import { parseJson } from './values.ts';

export function triggerRequest(
  declaration: PluginDeclaration,
  kind: string,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const provider = declaration.trigger;
  if (provider === undefined) throw new CliError('not-declared', 'the plugin has no trigger');
  const credential_type = Object.keys(credentials).length === 0 ? 'unauthorized' : 'api-key';
  const subscription = {
    expires_at: -1,
    endpoint: 'http://localhost/e/example',
    parameters: {},
    properties: { ...credentials },
  };
  const http = httpFrom(params, 'POST', '/');
  const common = {
    provider: provider.identity.name,
    credentials,
    credential_type,
    subscription,
    raw_http_request: http,
  };
  if (kind === 'trigger') {
    refuseOthers([...params.keys()], HTTP_PARAMETERS, `trigger ${provider.identity.name}`);
    return {
      type: 'trigger',
      action: 'dispatch_trigger_event',
      request: common,
      label: `trigger ${provider.identity.name}`,
    };
  }
  const event = pick(provider.events, (each) => each.identity.name, name, 'event');
  const own = new Map([...params].filter(([key]) => !isHttpParameter(key)));
  const declared = (event.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
  const label = `event ${event.identity.name}`;
  const body = params.get('body');
  const payload = body === undefined ? {} : parseJson(body, 'parameter body');
  return {
    type: 'trigger',
    action: 'invoke_trigger_event',
    request: {
      ...common,
      event: event.identity.name,
      parameters: convertAll(declared, own, label, HTTP_PARAMETERS),
      payload: isObject(payload) ? payload : {},
    },
    label,
  };
}
