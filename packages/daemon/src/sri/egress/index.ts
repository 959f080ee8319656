/** Where functions may connect to: the policy, and the way out of those that have no network. Touches sockets alone. */
export { type EgressPolicy, isAllowed } from './policy.ts';
export { WayOut, type WayOutOptions } from './way-out.ts';
