const LOOKED_AT = 500;

/** Turns what uv writes into one short line about the step it is in. Unknown lines change nothing. */
export class UvProgress {
  readonly #report: (text: string) => void;
  #last = '';
  #wanted = 0;
  #started = 0;
  readonly #fromSource = new Set<string>();

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  /** Dependencies that have no wheel for this machine, as far as uv has said. */
  get fromSource(): string[] {
    return [...this.#fromSource].slice(0, 50);
  }

  /** Of what comes in one piece only so many lines are looked at: uv never writes more, a build that goes wild does. */
  lines(lines: readonly string[]): void {
    for (const line of lines.slice(0, LOOKED_AT)) this.line(line);
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
      /^DEBUG Sending fresh GET request for: (\S{1,2000})$/,
      (url) => {
        const file = url.slice(url.lastIndexOf('/') + 1).split(/[?#]/, 1)[0] ?? '';
        if (!file.endsWith('.whl') && !file.endsWith('.tar.gz')) return undefined;
        this.#started++;
        return this.#download(file.split('-', 1)[0] ?? '');
      },
    ],
    [
      /^DEBUG Selecting: ([^\s=]{1,200})==(\S{1,100}) \[[a-z]{1,20}\] \(\S{1,300}\.(?:tar\.gz|zip)\)$/,
      (name, version) => {
        this.#fromSource.add(`${name}==${version}`);
        return undefined;
      },
    ],
    [/^\s{0,9}Downloading (\S+) \(([^)]+)\)/, (name, size) => this.#download(`${name}, ${size}`)],
    [
      /^\s{0,9}Building (\S{1,300})/,
      (name) => {
        this.#fromSource.add(name);
        return `building ${name} from source`;
      },
    ],
    [/^Prepared (\d+) packages?/, (count) => `downloaded ${count} packages`],
    [/^Installed (\d+) packages?/, (count) => `installed ${count} packages`],
  ];

  #download(name: string): string {
    const count = this.#wanted === 0 ? '' : ` ${Math.min(Math.max(this.#started, 1), this.#wanted)}/${this.#wanted}`;
    return `downloading${count} (${name})`;
  }
}
