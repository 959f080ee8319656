/** What this program can be asked to do; each is loaded when it is asked for. */
export const serve = async (): Promise<void> => (await import('./serve.ts')).serve();

export const check = async (): Promise<void> => (await import('./check.ts')).check();

export const serveSri = async (): Promise<void> => (await import('./serve-sri.ts')).serveSri();

export const migrateStore = async (args: readonly string[]): Promise<number> =>
  (await import('./migrate-store.ts')).migrateStore(args);
