import { styleText } from 'node:util';
import { checkDaemon, type Finding } from './compose/index.ts';

const marks = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['failed', 'red'],
  skipped: ['skipped', 'gray'],
} as const;

/** `--check`: prints each finding as it is made; the exit status is 1 when one failed. JSON lines where the log is JSON. */
export async function check(): Promise<void> {
  let failed = 0;
  try {
    for await (const finding of checkDaemon(process.env, process.cwd())) {
      if (finding.verdict === 'failed') failed++;
      process.stdout.write(process.env.LOG_OUTPUT_FORMAT === 'json' ? `${JSON.stringify(finding)}\n` : textOf(finding));
    }
  } catch (error) {
    process.stderr.write(`the check broke: ${error instanceof Error ? error.stack : String(error)}\n`);
    failed++;
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

function textOf({ part, verdict, detail, remedy }: Finding): string {
  const [word, color] = marks[verdict];
  const lines = [`${styleText(color, word.padEnd(8))} ${part.padEnd(15)} ${detail}`];
  if (remedy !== undefined) lines.push(`${' '.repeat(25)}→ ${remedy}`);
  return `${lines.join('\n')}\n`;
}
