import type { CommandResult } from './command.ts';
import { classifyFailure, EnvironmentError, type EnvironmentFailure, explainOutput } from './failures.ts';

/** What a step of the installer that failed means, in upstream's words. @param kind what the step takes its failure for */
export function stepFailure(
  prefix: string,
  result: CommandResult,
  step: { readonly kind: EnvironmentFailure | undefined; readonly logFile: string; readonly inactivitySeconds: number },
): EnvironmentError {
  const explained = explainOutput(result.stderr);
  const status = result.ended === undefined ? result.status : 'signal: killed';
  const silence =
    result.ended === 'inactivity'
      ? `\ninit process exited due to no activity for ${step.inactivitySeconds} seconds`
      : '';
  const found = classifyFailure(explained);
  // A disk, a right or descriptors that are missing explain every step; else the step knows better than the words do.
  const isSystem = found === 'disk-full' || found === 'permission' || found === 'too-many-files';
  const failure = result.ended ?? (step.kind === undefined || isSystem ? found : step.kind);
  return new EnvironmentError(failure, `${prefix}: ${status}, output: `, {
    output: `${explained}${silence}`,
    logFile: step.logFile,
  });
}
