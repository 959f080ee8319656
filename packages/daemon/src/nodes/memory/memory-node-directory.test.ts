import { describe } from 'vitest';
import { directorySuite } from '../conformance.suite.ts';
import { MemoryNodeDirectory } from './memory-node-directory.ts';

describe('nodes in one process', () => directorySuite(async () => new MemoryNodeDirectory()));
