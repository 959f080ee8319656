/** What a helper says on its stdout, line by line (helper-script.ts). */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

export interface Answer {
  readonly id?: number;
  readonly pid?: number;
  readonly keepers?: readonly number[];
  /** The id of a launch whose process has ended. */
  readonly ended?: number;
  /** The id of a launch whose process has ended, with how many `bytes` of its stdin it did not read. */
  readonly unread?: number;
  readonly bytes?: number;
  /** The id of a launch that has become a template, with the `pid` that its plugin goes on as, or that has `declined`. */
  readonly template?: number;
  readonly declined?: string;
  /** The id of a launch whose template has ended, with its cage. */
  readonly gone?: number;
  readonly limit?: string;
  readonly code?: number;
  readonly signal?: number;
  readonly errno?: string;
  readonly error?: string;
}

export function signalName(number: number | undefined): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found === undefined ? null : (found[0] as NodeJS.Signals); // the keys are the names
}

/** The first line that it answers. @throws with what it says of its failure */
export async function readiness(child: ChildProcess, readyMs: number): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  const timer = setTimeout(() => reject(new Error('the launcher process did not get ready')), readyMs);
  child.once('error', reject);
  child.once('exit', (code, signal) =>
    reject(new Error(`the launcher process ended at its start (${signal ?? code})`)),
  );
  let said = '';
  const listen = (data: Buffer) => {
    said += data.toString('utf8');
    if (said.includes('\n')) resolve(JSON.parse(said));
  };
  child.stdout?.on('data', listen);
  try {
    const facts = await promise;
    if (typeof facts.failed === 'string') throw new Error(facts.failed);
    return facts;
  } finally {
    clearTimeout(timer);
    child.stdout?.off('data', listen);
    child.removeAllListeners('exit');
    child.removeAllListeners('error');
    child.on('error', () => {}); // a failed kill of a process that is gone
  }
}
