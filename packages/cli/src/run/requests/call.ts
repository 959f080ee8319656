/** What is asked for, and what becomes of it. */
import type { Json } from '@plugin-daemon/plugin-package';

export interface CallSpec {
  type: string;
  action: string;
  request: Record<string, unknown>;
  /** What is called, for messages. */
  label: string;
}

export interface Inputs {
  /** `name=value` texts from --param. */
  params: ReadonlyMap<string, string>;
  credentials: Readonly<Record<string, unknown>>;
  /** Another action of the kind. */
  action?: string | undefined;
  /** Merged over the built request. */
  data?: Readonly<Record<string, unknown>> | undefined;
}

export interface Parameter {
  name: string;
  type: string;
  required: boolean;
  default?: Json | undefined;
  options?: readonly string[];
}
