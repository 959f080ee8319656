/** Functions as processes of this machine. */
export { ProcessBackend, type ProcessBackendOptions } from './process-backend.ts';
