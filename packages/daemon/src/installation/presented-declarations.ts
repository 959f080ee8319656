import { findMember } from '@plugin-daemon/plugin-host/json';
import {
  declarationCategory,
  type I18n,
  type PluginCategory,
  parseDeclaration,
  presentDeclaration,
  stringifyDeclaration,
} from '@plugin-daemon/plugin-package';
import type { ProjectionKind, StoredDeclaration } from '../database/index.ts';

/** What filters and list rows need of a declaration, without its bulk. */
export interface DeclarationFacts {
  readonly name: string;
  readonly version: string;
  readonly category: PluginCategory;
  readonly tags: readonly string[];
  readonly label: I18n;
  readonly description: I18n;
  readonly icon: string;
  readonly iconDark: string;
  readonly verified: boolean;
}

/** A declaration as clients get it, serialized once. */
export interface PresentedDeclaration {
  /** The whole declaration, JSON in UTF-8. */
  readonly json: Uint8Array;
  readonly facts: DeclarationFacts;
  /** One top-level value of it, as JSON; undefined when the key is not there. */
  part(key: Part): Uint8Array | undefined;
}

/**
 * Declarations in the form of the answers: defaults filled in, serialized. Lists of a megabyte are then a matter of copying.
 * Each lives as long as the stored declaration it was made from, whose cache is bounded (database/).
 */
export class PresentedDeclarations {
  readonly #made = new WeakMap<StoredDeclaration, PresentedDeclaration>();

  of(stored: StoredDeclaration): PresentedDeclaration {
    let presented = this.#made.get(stored);
    if (presented === undefined) {
      presented = present(stored.json);
      this.#made.set(stored, presented);
    }
    return presented;
  }

  has(stored: StoredDeclaration): boolean {
    return this.#made.has(stored);
  }
}

function present(storedJson: string): PresentedDeclaration {
  const declaration = presentDeclaration(parseDeclaration(storedJson));
  const json = Buffer.from(stringifyDeclaration(declaration));
  const parts = partsOf(json);
  return {
    json,
    part: (key) => parts.get(key),
    facts: {
      name: declaration.name,
      version: declaration.version,
      category: declarationCategory(declaration),
      tags: declaration.tags,
      label: declaration.label,
      description: declaration.description,
      icon: declaration.icon,
      iconDark: declaration.icon_dark,
      verified: declaration.verified,
    },
  };
}

type Part = ProjectionKind | 'meta';
const partKeys: readonly Part[] = ['tool', 'model', 'agent_strategy', 'datasource', 'trigger', 'meta'];

/** Views of the values that are answered on their own, by key. */
function partsOf(json: Buffer): Map<Part, Uint8Array> {
  // One character for one byte, so that positions in the text are positions in the buffer.
  const text = json.toString('latin1');
  const parts = new Map<Part, Uint8Array>();
  for (const key of partKeys) {
    const found = findMember(text, key);
    if (found !== undefined) parts.set(key, json.subarray(found.start, found.end));
  }
  return parts;
}
