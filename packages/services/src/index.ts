/**
 * Servers that the daemon works with, for tests: started from what is installed on this machine, on loopback, with data that is
 * thrown away; and networks that can be cut. Owns the processes it starts and their temporary files; nothing else is touched. `npm run services` starts
 * them for a test run, which finds them through environment variables; a test that has to kill a server starts one of its own.
 */
export { type Machine, networkMissing, TestNetwork } from './network.ts';
export { type PortOptions, reservePort } from './ports.ts';
export { provided, requirement, skipReason } from './provided.ts';
export { missing, RunningServices } from './running.ts';
export { ServerProcess } from './server-process.ts';
export { howToInstall, type RunningService, type ServiceSpec } from './service.ts';
export { type AskKubernetes, askKubernetes } from './services/kubernetes-client.ts';
export { type RedisServer, type RedisServerOptions, RedisServers } from './services/redis-servers.ts';
export { type ServiceName, services } from './table.ts';
export { createTlsFiles, type TlsFiles } from './tls.ts';
