/**
 * Instances that have no network: the relay that stands before each of them, and the directory with the two sockets it is reached by.
 * Used by every back end that can take the network away.
 */

export { type RelayedPlace, RelayPlaces, type RelayPlacesOptions } from './relay-places.ts';
export { RELAY_SCRIPT } from './relay-script.ts';
