/**
 * Where a call goes: tenant and plugin, or an identifier, → a placement with identifier, runtime type, declaration and whereabouts.
 *
 * Owns the one rule that a debugging connection stands before an installed plugin of the same id, and that one which left a moment
 * ago is waited for. Reads installations, declarations and what is connected; keeps nothing. Asked by http/dispatch and
 * http/webhooks before they read a body, so that a call for another place can be streamed there, and by invocation for the runtime
 * of a placement.
 */
export type { Placement, Whereabouts } from './placement.ts';
export { Routing, type RoutingParts } from './routing.ts';
