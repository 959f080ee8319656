/**
 * Where a call goes: tenant and plugin, or an identifier, → a placement with identifier, runtime type, declaration and whereabouts.
 *
 * Owns the one rule that a debugging connection stands before an installed plugin of the same id, and that one which left a moment
 * ago is waited for; and the rule by which one of several nodes gets a call, as pure decisions. Reads installations, declarations, what is
 * connected and who there is; keeps nothing but where others are debugged. Asked by http/dispatch and
 * http/webhooks before they read a body, so that a call for another place can be streamed there, and by invocation for the runtime
 * of a placement.
 */
export {
  BUSY_CALLS_PER_CORE,
  type Candidate,
  type Choice,
  chooseHomes,
  chooseNode,
  type PlacementRule,
  pinnedTo,
  placeOf,
  spreadTo,
} from './choose-node.ts';
export { ConnectionsElsewhere } from './debugged-elsewhere.ts';
export { type Home, type NodeChoice, NodePlacement, type NodePlacementOptions } from './node-placement.ts';
export type { Placement, Whereabouts } from './placement.ts';
export { Routing, type RoutingParts } from './routing.ts';
