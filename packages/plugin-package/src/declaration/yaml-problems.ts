/** What is wrong with a document, in upstream's words: noted until decoding has come to its end, or ending it at once. */
import { PackageError, type Problem, type ProblemDetail } from '../errors.ts';
import { tagOf, type YamlDocument, type YamlNode } from '../yaml/index.ts';
import { type ShapeNode, typeName } from './shape.ts';

/** So many mismatches are told of one file; there decoding ends. */
const MAX_PROBLEMS = 100;

export class YamlProblems {
  readonly #document: YamlDocument;
  readonly #problems: Problem[] = [];

  constructor(document: YamlDocument) {
    this.#document = document;
  }

  get count(): number {
    return this.#problems.length;
  }

  /** @throws PackageError with everything that was noted */
  finish(): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    const lines = this.#problems.map((problem) => `\n  line ${problem.line}: ${problem.message}`);
    throw new PackageError(`yaml: unmarshal errors:${lines.join('')}`, { ...first, problems: this.#problems });
  }

  mismatch(node: YamlNode, shape: ShapeNode): undefined {
    const text = node.kind === 'scalar' ? node.text : '';
    const shown = text.length > 10 ? `${text.slice(0, 7)}...` : text;
    const value = node.kind === 'scalar' ? ` \`${shown}\`` : '';
    this.note(node, `cannot unmarshal ${tagOf(node)}${value} into ${typeName(shape)}`, {
      tag: 'type',
      found: tagOf(node).replace(/^!!/, ''),
      ...(node.kind === 'scalar' && { value: shown }),
      wanted: shape.kind,
    });
    return undefined;
  }

  note(node: YamlNode, message: string, detail?: ProblemDetail): void {
    this.#problems.push({ message, detail, file: this.#document.file, ...this.#document.positions.of(node.at) });
    if (this.#problems.length >= MAX_PROBLEMS) this.finish();
  }

  /** Ends decoding at once. @throws PackageError always */
  fail(node: YamlNode, message: string, detail?: ProblemDetail): never {
    throw new PackageError(message, { detail, file: this.#document.file, ...this.#document.positions.of(node.at) });
  }

  located<T>(node: YamlNode, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      return this.fail(node, error.message, error.detail);
    }
  }
}
