import { BytesCache, type PresentedDeclaration } from '../../installation/index.ts';
import type { RawJson } from '../route.ts';
import type { Declared } from './declaration-lookup.ts';

interface Written {
  /** The rows it was written from, as JSON. */
  readonly rows: string;
  readonly declarations: readonly PresentedDeclaration[];
  readonly json: RawJson;
}

/**
 * Lists as they were last written. The rows are read anew every time; while they and their declarations are the same, so is the
 * list, and a megabyte need not be copied again.
 */
export class WrittenLists {
  readonly #lists = new BytesCache<Written>({ maxEntries: 512, maxBytes: 32 * 1024 * 1024 });

  /**
   * @param key what was asked for
   * @param extra what the list says beside its rows
   */
  get<R>(key: string, rows: readonly Declared<R>[], extra: string, write: () => RawJson): RawJson {
    const text = JSON.stringify(rows.map((each) => each.row)) + extra;
    const known = this.#lists.get(key);
    if (known !== undefined && known.rows === text && sameDeclarations(known.declarations, rows)) return known.json;
    const json = write();
    const declarations = rows.map((each) => each.declaration);
    this.#lists.set(key, { rows: text, declarations, json }, json.text.length + 2 * text.length);
    return json;
  }
}

function sameDeclarations(known: readonly PresentedDeclaration[], rows: readonly Declared<unknown>[]): boolean {
  return known.length === rows.length && known.every((declaration, i) => declaration === rows[i]?.declaration);
}
