/** Why there was no room. */
export interface Exceeded {
  /** Whose limit it was. */
  readonly limitOf: 'one' | 'owner' | 'all';
  readonly limitBytes: number;
  /** Limit and setting in words, to stand after what could not be kept. */
  readonly text: string;
}

/** Bytes that grow piece by piece, such as an unfinished line. Whoever opened it closes it. */
export interface Room {
  readonly held: number;
  /** Takes more. @returns why nothing was taken, or undefined */
  grow(bytes: number): Exceeded | undefined;
  /** Gives back part of it. */
  shrink(bytes: number): void;
  /** Gives back all. The room may grow again. */
  release(): void;
}

export interface Account {
  used: number;
}

/** Where a room counts: the books of its budget. */
export interface Books {
  join(owner: string): Account;
  leave(owner: string): void;
  take(account: Account, bytes: number): void;
  give(account: Account, bytes: number): void;
  /** Why an owner may not have so many more; undefined if it may. */
  exceeded(account: Account, bytes: number, owner: string): Exceeded | undefined;
  /** What exceeding the limit of one room is called. */
  exceededAlone(limit: number): Exceeded;
}

/** A room of a budget. It has an account only while it holds bytes: most rooms never do. */
export class CountedRoom implements Room {
  readonly #books: Books;
  readonly #owner: string;
  readonly #limit: number;
  #held = 0;
  #account: Account | undefined;

  constructor(books: Books, owner: string, limit: number) {
    this.#books = books;
    this.#owner = owner;
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  grow(bytes: number): Exceeded | undefined {
    if (this.#held + bytes > this.#limit) return this.#books.exceededAlone(this.#limit);
    const own = this.#account ?? this.#books.join(this.#owner);
    const exceeded = this.#books.exceeded(own, bytes, this.#owner);
    if (exceeded === undefined && bytes > 0) {
      this.#account = own;
      this.#held += bytes;
      this.#books.take(own, bytes);
    } else if (this.#account === undefined) this.#books.leave(this.#owner);
    return exceeded;
  }

  shrink(bytes: number): void {
    const account = this.#account;
    if (account === undefined) return;
    const given = Math.min(bytes, this.#held);
    this.#held -= given;
    this.#books.give(account, given);
    if (this.#held > 0) return;
    this.#account = undefined;
    this.#books.leave(this.#owner);
  }

  release(): void {
    this.shrink(this.#held);
  }
}
