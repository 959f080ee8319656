/** What one request, one address and all together may take of the server. */
export interface HttpLimits {
  /** Largest head of a request. */
  readonly headBytes: number;
  /** Longest time until a head is there. */
  readonly headMs: number;
  /** Longest time until a request with its body is there. The answer may take as long as it takes. */
  readonly requestMs: number;
  /** Connections at once. */
  readonly connections: number;
  /** Connections at once of one address that have not brought a key. */
  readonly strangersOfAddress: number;
  /** Requests at once of one address on routes without a key. */
  readonly publicRequestsOfAddress: number;
  /** Wrong keys a minute of one address. */
  readonly failedAttemptsPerMinute: number;
}

/** The same as the defaults of the settings. */
export const defaultLimits: HttpLimits = {
  headBytes: 65_536,
  headMs: 15_000,
  requestMs: 300_000,
  connections: 10_000,
  strangersOfAddress: 1024,
  publicRequestsOfAddress: 512,
  failedAttemptsPerMinute: 60,
};
