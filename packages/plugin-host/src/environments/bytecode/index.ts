/**
 * Compiled bytecode of installed distributions, kept in a store and given to all environments.
 *
 * A fresh environment has none, and importing the SDK then costs a second of compiling instead of a third. So some time after an
 * environment was made its modules are compiled into the store, and the next environment starts with what is there.
 *
 * Entries are found by the content of their source and carry its hash (PEP 552), which Python checks: no copy of a wheel, no
 * time stamp and no order of installing makes them stale. They are compiled here, never taken from an environment that
 * a plugin could write to: else one plugin would choose what another runs.
 */

export { Harvest } from './harvest.ts';
export { BytecodeStore, type BytecodeStoreOptions } from './store.ts';
