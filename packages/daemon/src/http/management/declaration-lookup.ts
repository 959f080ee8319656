import { setImmediate as nextTurn } from 'node:timers/promises';
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { RuntimeType } from '../../database/index.ts';
import type { PresentedDeclaration } from '../../installation/index.ts';
import type { ManagementDependencies } from './dependencies.ts';

export interface Declared<R> {
  readonly row: R;
  readonly declaration: PresentedDeclaration;
}

type LookupDependencies = Pick<ManagementDependencies, 'database'> & {
  readonly log: Pick<ManagementDependencies['log'], 'warn' | 'error'>;
  readonly installation: Pick<ManagementDependencies['installation'], 'presented'>;
};

interface Row {
  readonly plugin_unique_identifier: string;
  readonly runtime_type?: RuntimeType;
}

/**
 * Declarations for the rows of a list. A row without one is left out and logged: it must not take the others along
 * (docs/wire/http-api.md#lists-and-packages).
 */
export class DeclarationLookup {
  readonly #dependencies: LookupDependencies;

  constructor(dependencies: LookupDependencies) {
    this.#dependencies = dependencies;
  }

  async of<R extends Row>(rows: readonly R[]): Promise<readonly Declared<R>[]> {
    const { database, installation, log } = this.#dependencies;
    if (rows.length === 0) return [];
    const stored = await database.declarations.findMany(
      rows.map((row) => ({
        uniqueIdentifier: row.plugin_unique_identifier,
        ...(row.runtime_type !== undefined && { runtimeType: row.runtime_type }),
      })),
    );
    const found: Declared<R>[] = [];
    for (const row of rows) {
      const declaration = stored.get(row.plugin_unique_identifier);
      if (declaration === undefined || !isUniqueIdentifier(row.plugin_unique_identifier)) {
        log.warn(
          { identifier: row.plugin_unique_identifier },
          'installed plugin without a declaration left out of a list',
        );
        continue;
      }
      // The first time costs a parse; many of them must not hold up everyone else.
      if (!installation.presented.has(declaration)) await nextTurn();
      try {
        found.push({ row, declaration: installation.presented.of(declaration) });
      } catch (error) {
        log.error(
          { err: error, identifier: row.plugin_unique_identifier },
          'stored declaration cannot be read: left out of a list',
        );
      }
    }
    return found;
  }
}
