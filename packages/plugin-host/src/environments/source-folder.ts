import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DependencyFacts } from './dependencies/index.ts';

/**
 * A project with a build system would be installed with its own modules, by code of the package. What plugins have from that is
 * that the modules below `src` can be imported; a line in the environment does the same, and nothing is run for it.
 */
export async function provideSource(facts: DependencyFacts, environment: string, sitePackages: string): Promise<void> {
  const project = facts.pyproject;
  if (project === undefined || !('content' in project) || !project.content.installable || !facts.hasSourceFolder)
    return;
  // Seen from where the environment stands in the directory of a plugin: Python joins the names and follows no link. So it means each
  // plugin's own folder where several share the file.
  const source = join(relative(sitePackages, environment), '..', 'src');
  await writeFile(join(sitePackages, '_plugin_source.pth'), `${source}\n`);
}
