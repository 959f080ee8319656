import {
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import { PackageError } from '../errors.ts';
import { Positions, type Repair } from './positions.ts';

/** A scalar as written: nobody has decided yet whether `3.10` is a number. */
export interface YamlScalar {
  readonly kind: 'scalar';
  /** source text of a plain scalar, content of a quoted or block one */
  readonly text: string;
  /** written without quotes; only then a null, number, boolean or date is one */
  readonly plain: boolean;
  /** an explicit tag such as `!!str`, '' when there is none */
  readonly tag: string;
  readonly at: number;
}

export interface YamlPair {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

export interface YamlMapping {
  readonly kind: 'mapping';
  /** in file order, as written: duplicates and merge keys included */
  readonly pairs: readonly YamlPair[];
  readonly tag: string;
  readonly at: number;
}

export interface YamlSequence {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
  readonly tag: string;
  readonly at: number;
}

/** An alias is the very node it points to, so the tree may share nodes; it has no cycles. */
export type YamlNode = YamlScalar | YamlMapping | YamlSequence;

export interface YamlDocument {
  readonly file: string;
  /** null for a file without content */
  readonly root: YamlNode | null;
  readonly nodeCount: number;
  /** characters of the text */
  readonly length: number;
  /** turns a node's `at` into line and column of the file, counted from 1 */
  readonly positions: Positions;
  /** lines that had to be indented deeper before they could be read; harmless, but worth a warning */
  readonly repairs: readonly Repair[];
}

const MAX_DEPTH = 100;
/** characters of one file; the largest of all published plugins have a tenth of it */
const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_REPAIRS = 200;
/** characters parsed again because of repairs, over all of them */
const MAX_REPAIR_WORK = 10_000_000;
const REPAIR_INDENT = 64;

/**
 * Parses the first document of a YAML text. @throws PackageError `yaml: line <n>: <reason>`
 *
 * Continuation lines of a quoted text that are indented no deeper than their key are accepted, as all older parsers do
 * and published plugins need: blanks at the start of such a line mean nothing, so they are added where the parser misses them.
 */
export function parseYaml(source: string, file: string): YamlDocument {
  if (source.length > MAX_LENGTH) {
    throw new PackageError(`yaml: the file has ${source.length} characters, at most ${MAX_LENGTH} are allowed`, {
      file,
    });
  }
  const repairs: Repair[] = [];
  let text = source.startsWith('\ufeff') ? source.slice(1) : source;
  for (let work = 0; ; work += text.length) {
    try {
      const events = parseEvents(text, { maxDepth: MAX_DEPTH });
      const builder = new TreeBuilder(text, file);
      const root = builder.build(events);
      return {
        file,
        root,
        nodeCount: builder.nodeCount,
        length: source.length,
        positions: new Positions(text, repairs),
        repairs,
      };
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      const place = error.mark?.position ?? 0;
      const positions = new Positions(text, repairs);
      const { line, column } = positions.of(place);
      const lineStart = place - (error.mark?.column ?? 0);
      const repairable =
        error.reason === 'deficient indentation' && repairs.length < MAX_REPAIRS && work < MAX_REPAIR_WORK;
      if (!repairable) {
        throw new PackageError(`yaml: line ${line}: ${error.reason}`, {
          cause: error,
          detail: { tag: 'syntax', reason: error.reason },
          file,
          line,
          column,
        });
      }
      repairs.push({ line, blanks: REPAIR_INDENT });
      text = text.slice(0, lineStart) + ' '.repeat(REPAIR_INDENT) + text.slice(lineStart);
    }
  }
}

interface OpenNode {
  readonly node: YamlMapping | YamlSequence;
  readonly add: (child: YamlNode) => void;
  readonly anchor: string;
}

class TreeBuilder {
  nodeCount = 0;
  readonly #text: string;
  readonly #file: string;
  readonly #open: OpenNode[] = [];
  readonly #anchors = new Map<string, YamlNode>();
  #root: YamlNode | null = null;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  build(events: readonly Event[]): YamlNode | null {
    let documents = 0;
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          // only the first document of a file is read
          if (++documents === 2) return this.#root;
          break;
        case EVENT_ID.SCALAR:
          this.#add(
            {
              kind: 'scalar',
              text: getScalarValue(this.#text, event),
              plain: event.style === SCALAR_STYLE.PLAIN,
              tag: this.#slice(event.tagStart, event.tagEnd),
              at: this.#startOf(event),
            },
            this.#slice(event.anchorStart, event.anchorEnd),
          );
          break;
        case EVENT_ID.MAPPING: {
          const pairs: YamlPair[] = [];
          let key: YamlNode | null = null;
          const tag = this.#slice(event.tagStart, event.tagEnd);
          const node: YamlMapping = { kind: 'mapping', pairs, tag, at: event.start };
          this.#push(node, this.#slice(event.anchorStart, event.anchorEnd), (child) => {
            if (key === null) key = child;
            else {
              pairs.push({ key, value: child });
              key = null;
            }
          });
          break;
        }
        case EVENT_ID.SEQUENCE: {
          const items: YamlNode[] = [];
          const tag = this.#slice(event.tagStart, event.tagEnd);
          const node: YamlSequence = { kind: 'sequence', items, tag, at: event.start };
          this.#push(node, this.#slice(event.anchorStart, event.anchorEnd), (child) => items.push(child));
          break;
        }
        case EVENT_ID.ALIAS:
          this.#addAlias(this.#slice(event.anchorStart, event.anchorEnd), event.anchorStart);
          break;
        case EVENT_ID.POP: {
          const closed = this.#open.pop();
          if (closed !== undefined && closed.anchor !== '') this.#anchors.set(closed.anchor, closed.node);
          break;
        }
      }
    }
    return this.#root;
  }

  #push(node: YamlMapping | YamlSequence, anchor: string, add: (child: YamlNode) => void): void {
    this.#add(node, '');
    this.#open.push({ node, anchor, add });
  }

  #add(node: YamlNode, anchor: string): void {
    this.nodeCount++;
    if (anchor !== '') this.#anchors.set(anchor, node);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root ??= node;
    else parent.add(node);
  }

  #addAlias(name: string, at: number): void {
    const target = this.#anchors.get(name);
    const isOpen = this.#open.some((open) => open.anchor === name);
    if (target !== undefined && !isOpen) {
      this.#add(target, '');
      return;
    }
    const { line, column } = new Positions(this.#text, []).of(at);
    const reason = isOpen ? `anchor '${name}' value contains itself` : `unknown anchor '${name}' referenced`;
    throw new PackageError(`yaml: ${reason}`, { detail: { tag: 'syntax', reason }, file: this.#file, line, column });
  }

  /** Where a scalar begins: for a block, which starts on the line below, at its mark. */
  #startOf(event: ScalarEvent): number {
    const { style, valueStart } = event;
    if (style !== SCALAR_STYLE.LITERAL_BLOCK && style !== SCALAR_STYLE.FOLDED_BLOCK) return Math.max(0, valueStart);
    const mark = style === SCALAR_STYLE.LITERAL_BLOCK ? '|' : '>';
    return Math.max(0, this.#text.lastIndexOf(mark, Math.max(0, valueStart - 1)));
  }

  #slice(start: number, end: number): string {
    return end > start && start >= 0 ? this.#text.slice(start, end) : '';
  }
}
