/** Waits for all to end before the first failure is thrown: nothing may still write when the caller cleans up. */
export async function settleAll(...work: Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}
