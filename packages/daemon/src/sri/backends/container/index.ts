/** Functions as containers, through the API of Docker or Podman. */
export { ContainerBackend, type ContainerBackendOptions } from './container-backend.ts';
