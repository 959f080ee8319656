import { boolean, entries, list, listed, named, object, oneOf, required, text, zero } from '../shape.ts';
import type { EndpointDeclaration, EndpointProviderDeclaration } from '../types.ts';
import { providerConfig } from './shared.ts';

/** Tables of docs/wire/packages.md#endpoints. */

export const ENDPOINT_METHODS = ['HEAD', 'GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const;

export const endpoint = object<EndpointDeclaration>('EndpointDeclaration', {
  path: zero(text, 'Path', { rules: [required] }),
  method: zero(named('plugin_entities.EndpointMethod'), 'Method', {
    rules: [required, oneOf(ENDPOINT_METHODS, 'is_available_endpoint_method')],
  }),
  hidden: zero(boolean, 'Hidden'),
});

export const endpointProvider = object<EndpointProviderDeclaration>('EndpointProviderDeclaration', {
  settings: listed(list(providerConfig), 'Settings'),
  endpoints: listed(entries(endpoint, true), 'Endpoints'),
});
