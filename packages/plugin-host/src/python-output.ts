/**
 * Leaves out what Python writes about exceptions it has ignored: at the end of an interpreter there may be dozens, after the
 * error that ended it, and none of them explains anything. One line after the other, since blocks come in pieces.
 */
export class IgnoredExceptions {
  #inside = false;

  /** Whether this line belongs to no such block. */
  keeps(line: string): boolean {
    if (line.startsWith('Exception ignored ')) {
      this.#inside = true;
      return false;
    }
    if (!this.#inside) return true;
    // The block ends with the exception, the first line that is not indented.
    if (!/^(?:\s|Traceback |$)/.test(line)) this.#inside = false;
    return false;
  }
}

export function withoutIgnored(lines: readonly string[]): string[] {
  const ignored = new IgnoredExceptions();
  return lines.filter((line) => ignored.keeps(line));
}
