/**
 * Waits for something for a limited time. What arrives too late is given to `late`.
 * @throws what `expired` makes
 */
export async function within<T>(
  waiting: Promise<T>,
  limitMs: number,
  { expired, late }: { readonly expired: () => unknown; readonly late: (value: T) => void },
): Promise<T> {
  const limit = Promise.withResolvers<never>();
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    limit.reject(expired());
  }, limitMs);
  waiting.then(
    (value) => {
      if (over) late(value);
    },
    // Whoever waits below hears of it, or has given up.
    () => undefined,
  );
  try {
    return await Promise.race([waiting, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
