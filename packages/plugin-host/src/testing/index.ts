/** What tests of other packages need of this one: lines that a plugin should not write, and a package index of their own. */
export * from '../environments/testing-index.ts';
export * from '../runtimes/protocol/testing/odd-lines.ts';
