/** Functions as pods of a Kubernetes cluster, through its API server. */
export type { KubernetesApiOptions } from './api.ts';
export { KubernetesBackend, type KubernetesBackendOptions } from './kubernetes-backend.ts';
