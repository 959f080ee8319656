/**
 * Where instances of functions run: a contract, one folder for each implementation, one suite over all of them. Owns what it starts
 * until it has ended; called by the activator alone.
 */
export type { Backend, BuiltFunction, FunctionInstance, InstanceAddress, StartRequest } from './backend.ts';
export { ContainerBackend, type ContainerBackendOptions } from './container/index.ts';
export { isHealthy } from './health.ts';
export { type KubernetesApiOptions, KubernetesBackend, type KubernetesBackendOptions } from './kubernetes/index.ts';
export { ProcessBackend, type ProcessBackendOptions } from './process/index.ts';
