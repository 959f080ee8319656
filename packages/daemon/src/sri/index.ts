/**
 * The server of the Serverless Runtime Interface: what daemons with PLATFORM=serverless call their connector. Takes packages, builds
 * their environments, runs them as functions from none to many instances, and passes calls on to them.
 *
 * Owns the functions: their records and packages in the storage it is handed, their environments, every instance. Touches no database
 * and no plugin protocol: calls pass as bytes. A role of the same program; compose/ makes the one instance.
 */
export type { Outcome } from './activator/index.ts';
export {
  type Backend,
  ContainerBackend,
  type KubernetesApiOptions,
  KubernetesBackend,
  ProcessBackend,
} from './backends/index.ts';
export type { FunctionRecord } from './function-store.ts';
export { FunctionStore } from './function-store.ts';
export { Functions, type FunctionsOptions } from './functions.ts';
export { functionRoutes, interfaceRoutes, SriServer, stateRoutes } from './http/index.ts';
export { FunctionBuilder } from './launch/index.ts';
export { SessionSecrets } from './session-secrets.ts';
