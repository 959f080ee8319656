/** The message of something that was thrown, which need not be an error, nor have a text. */
export function messageOf(thrown: unknown): string {
  try {
    // A getter of somebody else's error may do or give anything.
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return `${typeof thrown} without a text`;
  }
}
