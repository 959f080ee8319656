/** A daemon that somebody else starts and stops, by the commands in the environment. */
import { execSync } from 'node:child_process';
import { delay } from './daemon/index.ts';
import type { Target } from './measurements/index.ts';

const START_LIMIT_MS = 60_000;

export function externalTarget(environment: NodeJS.ProcessEnv): Target {
  const need = (name: string): string => {
    const value = environment[name];
    if (!value) throw new Error(`--external needs ${name}`);
    return value;
  };
  const url = need('BENCH_URL');
  return {
    url,
    key: need('BENCH_KEY'),
    pid: () => Number(execSync(need('BENCH_PID_CMD')).toString().trim()),
    start: async () => {
      const startedAt = performance.now();
      execSync(need('BENCH_START_CMD'), { stdio: 'ignore' });
      for (;;) {
        try {
          const answer = await fetch(`${url}/health/check`, { signal: AbortSignal.timeout(2000) });
          await answer.arrayBuffer();
          if (answer.status === 200) return performance.now() - startedAt;
        } catch {
          // not up yet
        }
        if (performance.now() - startedAt > START_LIMIT_MS) throw new Error('the daemon did not start in time');
        await delay(5);
      }
    },
    stop: async () => {
      execSync(need('BENCH_STOP_CMD'), { stdio: 'ignore' });
    },
  };
}
