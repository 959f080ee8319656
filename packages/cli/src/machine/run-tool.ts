import { execFile } from 'node:child_process';
import { interrupted } from '../errors.ts';

export interface ToolResult {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** Runs a program to its end; its output is the result. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal; input?: string },
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { cwd: options.cwd, env: options.env, signal: options.signal, encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (options.signal.aborted) reject(interrupted());
        else if (error !== null && typeof error.code !== 'number') reject(error);
        else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr: stderr.toString('utf8') });
      },
    );
    // A tool that does not read its input closes it; that is its affair.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
