/**
 * Stores that are spoken to over plain HTTP with a signature of their own: what their REST interfaces have in common. A folder per store
 * says how it signs, and where it differs.
 */
export type { RestStore, SignedRequest, Signer } from './dialect.ts';
export { canonicalQuery, escaped, hmac, sha256Hex } from './encoding.ts';
export { endpointUrl, hosted } from './endpoint.ts';
export { type MarkerListWords, markerList } from './listing.ts';
export { openRestStorage } from './rest-client.ts';
