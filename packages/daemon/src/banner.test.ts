import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { banner } from './banner.ts';

const address = { address: '127.0.0.1', family: 'IPv4', port: 5002 };

test.each(['plain-1.0', "with spaces, 'quotes', $HOME and `ticks`", 'größe & mehr'])(
  'what is to be told Dify can be pasted into a shell, wherever the keys lie: %s',
  (name) => {
    const directory = mkdtempSync(join(tmpdir(), `${name}-`));
    try {
      const key = { value: 'the key', file: join(directory, 'server-key') };
      writeFileSync(key.file, key.value);
      const text = banner({
        address,
        debuggingAddress: undefined,
        detailsAddress: undefined,
        dataDirectory: { path: directory, serverKey: key, difyInnerApiKey: key },
        webhooks: true,
        warnings: [],
        startedInMs: 1,
      });
      const word = /PLUGIN_DAEMON_KEY=(.*)/.exec(text)?.[1] ?? '';
      expect(execFileSync('sh', ['-c', `printf %s "${word}"`], { encoding: 'utf8' })).toBe('the key');
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
