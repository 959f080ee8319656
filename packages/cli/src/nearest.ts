/** The known name somebody probably meant by a mistyped one. */
const MAX_LENGTH = 64;

/** Edits that turn one name into the other: a letter more, less, another one, or two swapped. */
function distance(a: string, b: string): number {
  let twoBack: number[] = [];
  let back = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (back[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (back[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        least = Math.min(least, (twoBack[column - 2] ?? 0) + 1);
      current.push(least);
    }
    twoBack = back;
    back = current;
  }
  return back[b.length] ?? 0;
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[-_. ]/g, '')
    .slice(0, MAX_LENGTH);

/** The nearest of the known names, or undefined when none is near: about one edit in three letters. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: { name: string; edits: number } | undefined;
  for (const candidate of known) {
    const edits = distance(wanted, plain(candidate));
    if (edits <= Math.max(1, Math.floor(wanted.length / 3)) && edits < (best?.edits ?? Number.POSITIVE_INFINITY))
      best = { name: candidate, edits };
  }
  return best?.name;
}

/** A remedy for an unknown name: the one that was probably meant, and what there is. */
export function didYouMean(name: string, known: readonly string[], nothing: string): string {
  if (known.length === 0) return nothing;
  const meant = nearest(name, known);
  const all = `there is ${known.join(', ')}`;
  return meant === undefined ? all : `did you mean ${meant}? ${all}`;
}
