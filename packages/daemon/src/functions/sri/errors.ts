import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/** The connector was not reached, or broke off: what it has done is not known, and asking again may help. */
export class SriUnavailable extends Error {
  override readonly name = 'SriUnavailable';
  /** `never`: it was not reached at all. `answer`: its answer broke off. */
  readonly reached: 'never' | 'perhaps' | 'answer';

  constructor(message: string, reached: SriUnavailable['reached'], cause?: unknown) {
    super(message, { cause });
    this.reached = reached;
  }
}

/** The connector answered, with something else than was asked for. */
export class SriRefusal extends Error {
  override readonly name = 'SriRefusal';
  /** `request`: the request was refused. `launch`: it was taken, and the launch failed. */
  readonly stage: 'request' | 'launch';
  /** A status that says "later". */
  readonly isTransient: boolean;

  constructor(message: string, stage: SriRefusal['stage'], isTransient = false) {
    super(message);
    this.stage = stage;
    this.isTransient = isTransient;
  }
}

/** Statuses of gateways, and of a connector that is starting. */
export const transientStatus = (status: number): boolean => status === 502 || status === 503 || status === 504;

/** @throws DaemonError when the connector's address is none */
export function sriAddress(text: string): { readonly origin: string; readonly prefix: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new DaemonError(
      'internal',
      `DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL is not an address: ${JSON.stringify(text)}`,
      {
        remedy: 'Set it to the base address of the connector, such as http://sri:5004',
      },
    );
  return { origin: url.origin, prefix: url.pathname.replace(/(?<!\/)\/+$/, '') };
}
