/**
 * Endpoints: a plugin's webhooks with their settings (docs/wire/http-api.md#endpoint-management, docs/wire/state.md#endpoint-settings).
 *
 * Owns the rules of setting up, changing, listing and removing endpoints, and the short-lived memory of decrypted settings.
 * Touches the database through its repositories and Dify through the settings cipher; knows neither HTTP nor runtimes.
 * Called by http/endpoints (management) and http/webhooks (to resolve a hook).
 */
export { type EndpointConfig, endpointConfigOf } from './declaration.ts';
export type { PresentedEndpoint } from './present.ts';
export { EndpointService, type EndpointServiceOptions } from './service.ts';
export { DecryptedSettings } from './settings.ts';
