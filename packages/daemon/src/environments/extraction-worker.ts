/** Runs in a worker thread: see package-extractor.ts. */
import { type ExtractionTask, extractPackage } from './extraction.ts';

export default (task: ExtractionTask): void => extractPackage(task);
