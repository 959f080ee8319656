/** The cases named `third party: …`: a package signed with a key that the daemon was told to trust. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DaemonProcess } from '../daemon/index.ts';
import { runScript, type SharedBench } from './shared-bench.ts';

/** Our command line tool, which packs and signs as an author does. */
export const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const LIMIT_MS = 120_000;

/** Adds the cases to the recorded upload route; returns a sentence about what was done. */
export async function recordSigned(bench: SharedBench, work: string, recorded: string): Promise<string> {
  if (!existsSync(CLI)) return 'third-party signatures: not recorded, there is no command line tool to sign with';
  const generator: { buildPackage(options: object): Buffer } = await import(
    pathToFileURL(join(bench.directory, 'gen-plugin.mjs')).href
  );
  writeFileSync(
    join(work, 'g-signed.difypkg'),
    generator.buildPackage({ category: 'tool', author: 'golden', name: 'g-signed' }),
  );
  for (const args of [
    ['generate', '-f', 'third-party'],
    ['sign', 'g-signed.difypkg', '-p', 'third-party.private.pem'],
  ]) {
    const made = await runScript(process.execPath, [CLI, 'signature', ...args], { cwd: work, timeoutMs: LIMIT_MS });
    if (made.code !== 0)
      return `third-party signatures: not recorded, signature ${args[0]} failed: ${made.output.slice(-300)}`;
  }

  await using daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
    dataDirectory: join(work, 'data-signed'),
    settings: {
      FORCE_VERIFYING_SIGNATURE: 'true',
      THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED: 'true',
      THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS: join(work, 'third-party.public.pem'),
    },
  });
  const result = await runScript(
    process.execPath,
    [
      join(bench.directory, 'golden.mjs'),
      '--url',
      daemon.url,
      '--key',
      daemon.key,
      '--dir',
      recorded,
      '--signed',
      join(work, 'g-signed.signed.difypkg'),
    ],
    { cwd: recorded, timeoutMs: LIMIT_MS },
  );
  return result.code === 0
    ? 'third-party signatures: recorded'
    : `third-party signatures: the recorder failed: ${result.output.slice(-300)}`;
}
