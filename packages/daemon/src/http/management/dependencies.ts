import type { Database } from '../../database/index.ts';
import type { Installation } from '../../installation/index.ts';
import type { Log } from '../../telemetry/index.ts';

/** What the management routes stand on. */
export interface ManagementDependencies {
  readonly database: Database;
  readonly installation: Pick<
    Installation,
    'intake' | 'reader' | 'installations' | 'jobs' | 'presented' | 'uploadBudget'
  >;
  /** MAX_PLUGIN_PACKAGE_SIZE, bytes. */
  readonly maxPackageBytes: number;
  /** MAX_BUNDLE_PACKAGE_SIZE, bytes. */
  readonly maxBundleBytes: number;
  readonly log: Log;
}
