/**
 * Bounds a cache of `lru-cache` to so many entries. For a number of entries (`max`) the library makes room at once, a megabyte for 20,000
 * that may never come; as a weight it is only counted.
 */
export const countedUpTo = (entries: number) => ({ maxSize: entries, sizeCalculation: one });

const one = (): number => 1;
