/** Turns what uv writes into one short line about the step it is in. Unknown lines change nothing. */
export class UvProgress {
  readonly #report: (text: string) => void;
  #last = '';
  #wanted = 0;
  #started = 0;

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  line(line: string): void {
    for (const [pattern, step] of this.#steps) {
      const match = pattern.exec(line);
      if (match === null) continue;
      const text = step(match[1] ?? '', match[2] ?? '');
      if (text === undefined || text === this.#last) return;
      this.#last = text;
      this.#report(text);
      return;
    }
  }

  readonly #steps: readonly [RegExp, (first: string, second: string) => string | undefined][] = [
    [/^DEBUG (?:Solving with|Adding direct dependency)/, () => 'resolving dependencies'],
    [/^Resolved (\d+) packages?/, (count) => `resolved ${count} packages`],
    [
      /^DEBUG Identified uncached distribution/,
      () => {
        this.#wanted++;
        return undefined;
      },
    ],
    [
      /^DEBUG Sending fresh GET request for: .*\/([^/?#-]+)-[^/?#]*\.(?:whl|tar\.gz)/,
      (name) => {
        this.#started++;
        return this.#download(name);
      },
    ],
    [/^\s*Downloading (\S+) \(([^)]+)\)/, (name, size) => this.#download(`${name}, ${size}`)],
    [/^\s*Building (\S+)/, (name) => `building ${name}`],
    [/^Prepared (\d+) packages?/, (count) => `downloaded ${count} packages`],
    [/^Installed (\d+) packages?/, (count) => `installed ${count} packages`],
  ];

  #download(name: string): string {
    const count = this.#wanted === 0 ? '' : ` ${Math.min(Math.max(this.#started, 1), this.#wanted)}/${this.#wanted}`;
    return `downloading${count} (${name})`;
  }
}
