import { setFlagsFromString } from 'node:v8';

/**
 * While modules are loaded nearly everything lives on, and the engine makes room for young objects that it never gives back: 16 MB of an
 * idle daemon. Held small during the start, they are moved out of the way instead; released, the room grows with the load as ever.
 * Likewise for the optimizing compilers: what a start runs many times is mostly not what calls run, and their own code alone, once it is used,
 * is 8 MB of an idle daemon.
 */
const atStart = ['--semi-space-growth-factor=1', '--maglev-filter=~', '--turbo-filter=~'];
const afterwards = ['--semi-space-growth-factor=2', '--maglev-filter=*', '--turbo-filter=*'];
/**
 * Old objects may take half as much again as what lives before they are collected, not four times: few of them come from calls, so that costs
 * nothing that can be measured, and saves 50 MB under load.
 */
const always = ['--heap-growing-percent=50'];

export function holdBackForStart(): void {
  for (const flag of [...atStart, ...always]) setFlagsFromString(flag);
}

export function releaseAfterStart(): void {
  for (const flag of afterwards) setFlagsFromString(flag);
}

/** Runs something under the flags of the start. */
export function asAtStart(task: () => void): void {
  holdBackForStart();
  try {
    task();
  } finally {
    releaseAfterStart();
  }
}
