import { isObject } from '@plugin-daemon/values';
import type { KeyPage } from '../remote/index.ts';
import { textOf } from './document.ts';

/** The words of a store for the parts of a list. */
export interface MarkerListWords {
  /** Of XML; undefined for JSON. */
  readonly root?: string;
  readonly name: string;
  readonly contents: string;
  readonly key: string;
  readonly truncated: string;
  readonly next: string;
  /** What is missing of `next` where there is more: the last key says it. */
  readonly lastKeyIsNext: boolean;
}

const xmlWords: MarkerListWords = {
  root: 'ListBucketResult',
  name: 'Name',
  contents: 'Contents',
  key: 'Key',
  truncated: 'IsTruncated',
  next: 'NextMarker',
  lastKeyIsNext: true,
};

/** Reads a page of keys. @throws when the answer is none: it must not be read as "there is nothing" */
export function markerList(document: unknown, words: MarkerListWords = xmlWords): KeyPage {
  const noList = () => new Error('the answer to a question for a list is none');
  if (!isObject(document) || document.root !== words.root || textOf(document, words.name) === undefined) throw noList();
  const contents = document[words.contents] ?? [];
  if (!Array.isArray(contents)) throw noList();
  const keys = contents.map((entry: unknown) => {
    const key = textOf(entry, words.key);
    if (key === undefined) throw noList();
    return key;
  });
  const truncated = document[words.truncated];
  if (truncated !== true && truncated !== 'true') return { keys, next: undefined };
  const next = textOf(document, words.next) ?? (words.lastKeyIsNext ? keys.at(-1) : undefined);
  if (next === undefined) throw new Error('the store says that there are more keys, and not how to ask for them');
  return { keys, next };
}
