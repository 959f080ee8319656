import { type ChildProcess, spawn } from 'node:child_process';

export interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/** What the cluster is told of a pod. */
export type PodStatus = Readonly<Record<string, unknown>>;

/** The image that no registry has. */
export const MISSING_IMAGE = 'missing';
const LAST_WORDS = 2048;

/** The container of a pod as a process of this machine, which answers on an address of the loopback of its own. */
export class PodProcess {
  /** When it runs no more. */
  readonly ended: Promise<void>;
  #child: ChildProcess | undefined;

  /** @param onStatus told at once where it runs, and later how it ended */
  constructor(container: Container, ip: string, onStatus: (status: PodStatus) => void) {
    if (container.image === MISSING_IMAGE) {
      const waiting = {
        reason: 'ImagePullBackOff',
        message: `Back-off pulling image "${MISSING_IMAGE}"`,
      };
      onStatus({ phase: 'Pending', containerStatuses: [statusOf(container, { waiting })] });
      this.ended = Promise.resolve();
      return;
    }
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const [command = '', ...args] = container.command;
    const child = spawn(command, args, {
      cwd: container.workingDir,
      env: { ...env, SERVERLESS_HOST: ip },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-LAST_WORDS);
    });
    const startedAt = now();
    const place = { podIP: ip, podIPs: [{ ip }], startTime: startedAt };
    onStatus({ ...place, phase: 'Running', containerStatuses: [statusOf(container, { running: { startedAt } })] });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143);
        const reason = exitCode === 0 ? 'Completed' : 'Error';
        const terminated = { exitCode, reason, message: said, startedAt, finishedAt: now() };
        onStatus({
          ...place,
          phase: exitCode === 0 ? 'Succeeded' : 'Failed',
          containerStatuses: [statusOf(container, { terminated })],
        });
        resolve();
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

const statusOf = ({ image }: Container, state: Readonly<Record<string, unknown>>): object => ({
  name: 'function',
  image,
  imageID: '',
  ready: 'running' in state,
  restartCount: 0,
  state,
});
