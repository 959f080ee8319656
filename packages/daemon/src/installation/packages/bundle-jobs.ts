/** A bundle taken apart: its packages prepared, its other dependencies in the form clients get (http-api §7.1, packages §24). */
import type { Checked, IntakeRules, PreparedPackage } from './package-jobs.ts';

export type BundleDependency =
  | {
      readonly type: 'github';
      readonly value: {
        readonly repo_address: string;
        readonly repo: string;
        readonly release: string;
        readonly packages: string;
      };
    }
  | {
      readonly type: 'marketplace';
      readonly value: { readonly organization: string; readonly plugin: string; readonly version: string };
    }
  | { readonly type: 'package'; readonly prepared: PreparedPackage };

export interface PreparedBundle {
  readonly dependencies: readonly BundleDependency[];
}

export function prepareBundle(_bytes: Uint8Array<ArrayBuffer>, _rules: IntakeRules): Checked<PreparedBundle> {
  return { refused: 'failed to decode bundle' };
}
