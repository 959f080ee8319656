/**
 * Programs that look at the daemon from outside: `demo.ts` shows it, `main.ts` measures it, `conformance.ts` compares it
 * with recordings of upstream. They start real daemons and real plugins, and import nothing of the daemon.
 */
export { reservePort } from '@plugin-daemon/services';
export { DaemonClient, DaemonProcess, keepUv, keptUv, metricIn, s3Settings } from './daemon/index.ts';
export { llmByPlugin, toolByPlugin } from './demo/dify-stand-in.ts';
export { startFakeDify, startFakeOpenAi } from './fakes/index.ts';
export { Balancer } from './fleet/index.ts';
export { benchPackage, EXAMPLES, folderPackage } from './plugin/package.ts';
export { type Counts, grown, MADE_LATER, runKills, runRounds } from './rounds/index.ts';
