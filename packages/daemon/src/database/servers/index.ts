/** What database servers have in common: how they are reached, their pools of connections, TLS, and waiting for them. */
export { connect } from './connect.ts';
export { type Explanation, serverError, tlsExplanation } from './errors.ts';
export { PooledDriver, type SessionPool } from './pooled-driver.ts';
export type { ServerOptions, TlsMode } from './server-options.ts';
export { within } from './time-limit.ts';
export { tlsOptions } from './tls.ts';
