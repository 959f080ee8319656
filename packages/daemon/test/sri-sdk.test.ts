/** A plugin on the real SDK, unmodified, as a function: started from nothing, woken from a parent, and without a network. */
import { fileURLToPath } from 'node:url';
import { folderPackage } from '@plugin-daemon/bench';
import { expect, test } from 'vitest';
import { eventually } from './harness.ts';
import { TestSri } from './sri-harness.ts';

const packed = folderPackage(fileURLToPath(new URL('../../../examples/tool-text-report', import.meta.url)));
const LIMIT_MS = 300_000;

const report = async (sri: TestSri, endpoint: string): Promise<string> => {
  const messages = await sri.messages(endpoint, {
    user_id: 'u',
    type: 'tool',
    action: 'invoke_tool',
    provider: 'text_report',
    tool: 'report',
    tool_parameters: { text: 'One two two.', top: 1 },
    credentials: {},
  });
  return JSON.stringify(messages);
};

test(
  'it answers, sleeps, and is forked when it is woken',
  async () => {
    await using sri = await TestSri.start({ SRI_IDLE_TIMEOUT: '1' });
    const { endpoint, failure } = await sri.launch(packed);
    expect(failure).toBeUndefined();
    expect(await report(sri, endpoint)).toContain('3 words in 1 sentences');
    // What forks it is made after its first start, and then it is woken again and again until that is there.
    await eventually('it is forked', async () => {
      if (sri.log.includes('"start":"forked"')) return true;
      await eventually(
        'it sleeps',
        async () => (await sri.metric('function_instances', { state: 'running' })) === 0 || undefined,
      );
      expect(await report(sri, endpoint)).toContain('3 words in 1 sentences');
      return undefined;
    });
    expect(await report(sri, endpoint)).toContain('3 words in 1 sentences');
  },
  LIMIT_MS,
);

test(
  'it answers without a network',
  async () => {
    await using sri = await TestSri.start({ SRI_EGRESS: 'none' });
    const { endpoint, failure } = await sri.launch(packed);
    expect(failure).toBeUndefined();
    expect(await report(sri, endpoint)).toContain('3 words in 1 sentences');
  },
  LIMIT_MS,
);
