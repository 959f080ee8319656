/** Runs in a worker thread: see package-extractor.ts. */
import { type DependencyFacts, readDependencies as read } from './dependencies/index.ts';
import { type ExtractionTask, extractPackage } from './extraction.ts';

export { differencesOf, manifestOf, openTree } from './manifest.ts';

export default (task: ExtractionTask): void => extractPackage(task);

export const readDependencies = (task: { directory: string; entrypoint: string }): DependencyFacts =>
  read(task.directory, task.entrypoint);
