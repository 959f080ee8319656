/**
 * The management routes: uploads, installing, tasks, and every list Dify shows (docs/wire/http-api.md#management).
 *
 * Knows the wire forms; what happens is done by installation/ and database/. compose.ts puts the table into the server.
 */
import type { AnyRoute } from '../route.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { installedRoutes } from './installed.ts';
import { installingRoutes } from './installing.ts';
import { packageRoutes } from './packages.ts';
import { providerRoutes } from './providers.ts';
import { taskRoutes } from './tasks.ts';
import { uploadRoutes } from './uploads.ts';

export type { ManagementDependencies } from './dependencies.ts';
export { AssetRequest } from './records.ts';

export function managementRoutes(dependencies: ManagementDependencies): readonly AnyRoute[] {
  return [
    ...uploadRoutes(dependencies),
    ...installingRoutes(dependencies),
    ...taskRoutes(dependencies),
    ...packageRoutes(dependencies),
    ...installedRoutes(dependencies),
    ...providerRoutes(dependencies),
  ];
}
