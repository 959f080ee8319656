import { describe } from 'vitest';
import { channelPair } from '../../ipc/testing.ts';
import { directorySuite } from '../conformance.suite.ts';
import { MemoryNodeDirectory } from '../index.ts';
import { PrimaryNodeDirectory, serveDirectory } from './index.ts';

describe('primary process', () => {
  directorySuite(async () => {
    const { primary, worker: channel } = channelPair();
    serveDirectory(primary, new MemoryNodeDirectory());
    return new PrimaryNodeDirectory({ channel, events: { on: () => () => undefined, publish: () => undefined } });
  });
});
