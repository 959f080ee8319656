import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type JobEnd, type JobHandler, type JobHandlers, JobPostponed, type JobQueue } from './index.ts';

const nothing: JobHandler = { run: async () => undefined };
export const handlers = (more: Partial<JobHandlers> = {}): JobHandlers => ({
  install: nothing,
  'install-tasks': nothing,
  debugging: nothing,
  audit: nothing,
  packages: nothing,
  ...more,
});

export type OpenJobs = (onEnd: (end: JobEnd) => void) => Promise<JobQueue>;

/** Patience with a busy machine; nothing waits for it. */
export const waiting = { timeout: 60_000 };

/** A queue that is closed with the test, and what it said. */
export async function opened(open: OpenJobs): Promise<{ readonly jobs: JobQueue; readonly ends: JobEnd[] }> {
  const ends: JobEnd[] = [];
  const jobs = await open((end) => ends.push(end));
  onTestFinished(() => jobs.close());
  return { jobs, ends };
}

/** What every driver does, run over the given one. */
export function jobConformance(name: string, open: OpenJobs): void {
  describe(`jobs: ${name}`, () => {
    test('a job is done, and what it is called reaches its handler as it was', async () => {
      const { jobs } = await opened(open);
      const done: string[] = [];
      jobs.begin(handlers({ install: { run: async (job) => void done.push(job) } }));
      const names = ['acme/demo:0.0.1@abc', 'a b/"ü"~:%{}'];
      for (const each of names) await jobs.add('install', each);
      await expect.poll(() => done.toSorted(), waiting).toEqual(names.toSorted());
    });

    test('asked for again while it waits or runs it is one job, and whoever asked too late is seen after it', async () => {
      const { jobs } = await opened(open);
      const { promise: may, resolve: finish } = Promise.withResolvers<void>();
      let runs = 0;
      let after = 0;
      jobs.begin(
        handlers({
          install: {
            run: async () => {
              runs++;
              await may;
            },
            after: () => void after++,
          },
        }),
      );
      await jobs.add('install', 'one');
      await expect.poll(() => runs, waiting).toBe(1);
      for (let i = 0; i < 5; i++) await jobs.add('install', 'one');
      expect(after).toBe(0);
      finish();
      await expect.poll(() => after, waiting).toBe(1);
      await pause(200);
      expect(runs).toBe(1);
      // The name is free again.
      await jobs.add('install', 'one');
      await expect.poll(() => [runs, after], waiting).toEqual([2, 2]);
    });

    test('a job that is postponed comes again; one that fails is tried again', async () => {
      const { jobs, ends } = await opened(open);
      let runs = 0;
      jobs.begin(
        handlers({
          install: {
            run: async () => {
              runs++;
              if (runs === 1) throw new JobPostponed(20);
              if (runs === 2) throw new Error('the database is away');
            },
          },
        }),
      );
      await jobs.add('install', 'one');
      const installs = () => ends.filter(({ kind }) => kind === 'install').map(({ outcome }) => outcome);
      await expect.poll(installs, waiting).toEqual(['postponed', 'failed', 'done']);
    });

    test('recurring work is done without being asked for', async () => {
      const { jobs } = await opened(open);
      const rounds: string[] = [];
      const round: JobHandler = { run: async (job) => void rounds.push(job) };
      jobs.begin(handlers({ 'install-tasks': round, audit: round, packages: round }));
      await expect.poll(() => [...new Set(rounds)].toSorted(), waiting).toEqual(['audit', 'install-tasks', 'packages']);
      // Every five seconds.
      const before = rounds.filter((each) => each === 'install-tasks').length;
      await expect
        .poll(() => rounds.filter((each) => each === 'install-tasks').length, waiting)
        .toBeGreaterThan(before + 1);
    });

    test('closing aborts what runs, waits for it, and takes nothing more', async () => {
      const { jobs, ends } = await opened(open);
      let ended = false;
      let begun = false;
      jobs.begin(
        handlers({
          install: {
            run: async (_job, { signal }) => {
              begun = true;
              await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
              await pause(20);
              ended = true;
              signal.throwIfAborted();
            },
          },
        }),
      );
      await jobs.add('install', 'one');
      await expect.poll(() => begun, waiting).toBe(true);
      await jobs.close();
      expect(ended).toBe(true);
      expect(ends.filter(({ kind, outcome }) => kind === 'install' && outcome === 'failed')).toEqual([]);
    });
  });
}
