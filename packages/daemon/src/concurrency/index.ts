/** Who may work when, within this process. Knows nothing of what is worked on; used wherever two must not do the same at once. */
export { KeyedLock } from './keyed-lock.ts';
