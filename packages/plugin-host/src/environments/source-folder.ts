import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DependencyFacts } from './dependencies/index.ts';
import type { WorkingDirectory } from './working-directory.ts';

/**
 * A project with a build system would be installed with its own modules, by code of the package. What plugins have from that is
 * that the modules below `src` can be imported; a line in the environment does the same, and nothing is run for it.
 */
export async function provideSource(
  facts: DependencyFacts,
  directory: WorkingDirectory,
  sitePackages: string,
): Promise<void> {
  const project = facts.pyproject;
  if (project === undefined || !('content' in project) || !project.content.installable || !facts.hasSourceFolder)
    return;
  await writeFile(join(sitePackages, '_plugin_source.pth'), `${join(directory.path, 'src')}\n`);
}
