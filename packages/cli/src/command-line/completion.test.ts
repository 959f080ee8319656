import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { dify } from '../../test/harness.ts';

function complete(script: string, words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const program = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _dify; echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split(' ');
}

test('bash completes commands, flags and values', async () => {
  const { outcome } = await dify(['completion', 'bash']);
  const script = outcome?.text ?? '';
  expect(complete(script, ['dify', 'sig'])).toEqual(['signature']);
  expect(complete(script, ['dify', 'plugin', 'module', 'append', ''])).toEqual(['tools', 'endpoints']);
  expect(complete(script, ['dify', 'plugin', 'package', '--out'])).toEqual(['--output_path']);
  expect(complete(script, ['dify', 'plugin', 'init', '--category', 'spe'])).toEqual(['speech2text']);
});

test.each(['zsh', 'fish', 'powershell'])('%s gets a script with every command', async (shell) => {
  const { outcome } = await dify(['completion', shell]);
  for (const word of ['package', 'signature', 'append', 'output_path']) {
    expect(outcome?.text).toContain(word);
  }
});

test('another shell is a usage error', async () => {
  expect(await dify(['completion', 'tcsh'])).toMatchObject({ exit: 2 });
});
