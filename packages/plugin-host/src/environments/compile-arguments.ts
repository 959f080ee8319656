/**
 * Arguments of `compileall` for the plugin's own files: each `-x P` among the extra ones is merged into the pattern of
 * what to leave out, the last one wins. Isolated (`-I`): else a module of the package named like one of the standard library
 * would be what runs.
 */
export function compileArguments(extra: readonly string[]): string[] {
  const kept: string[] = [];
  let exclude = String.raw`\.venv|\.uv-cache`;
  for (let i = 0; i < extra.length; i++) {
    const arg = extra[i] ?? '';
    const pattern = extra[i + 1];
    if (arg === '-x' && pattern !== undefined) {
      exclude = String.raw`\.venv|\.uv-cache|${pattern}`;
      i++;
    } else {
      kept.push(arg);
    }
  }
  return ['-I', '-m', 'compileall', ...kept, '-x', exclude, '.'];
}
