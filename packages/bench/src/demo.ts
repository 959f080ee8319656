/** `npm run demo`: installs three example plugins on a daemon and calls them, so that one can watch it work. */
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import pc from 'picocolors';
import { DaemonAnswerError, DaemonClient, DaemonProcess } from './daemon/index.ts';
import { llmByPlugin, toolByPlugin } from './demo/dify-stand-in.ts';
import { agentScene, modelScene, toolScene } from './demo/scenes.ts';
import { detail, done, failure, heading, line } from './demo/terminal.ts';
import { startFakeDify, startFakeOpenAi } from './fakes/index.ts';

const INNER_KEY = 'demo-inner-api-key';

const { values } = argumentsOf({
  name: 'npm run demo',
  about: 'Installs three example plugins on a daemon and calls them, so that one can watch it work.',
  options: {
    'data-dir': {
      type: 'string',
      takes: 'DIR',
      help: "keeps the daemon's data there (the next run finds its environments warm), not in a temporary directory",
    },
    url: {
      type: 'string',
      takes: 'URL',
      help: "uses a daemon that runs already, without the agent: its callbacks would go to that daemon's Dify",
    },
    key: { type: 'string', takes: 'KEY', help: 'of that daemon; without it SERVER_KEY of the environment' },
  },
});

async function againstRunningDaemon(url: string, key: string): Promise<void> {
  await using model = await startFakeOpenAi({ delayMs: 40 });
  await using client = new DaemonClient({ url, key });
  await toolScene(client);
  await modelScene(client, model.url);
  detail('the agent example was left out: it calls back, and a daemon that runs already calls its own Dify');
}

async function againstOwnDaemon(): Promise<void> {
  await using model = await startFakeOpenAi({ delayMs: 40 });
  let client: DaemonClient | undefined;
  const current = () => {
    if (!client) throw new Error('the daemon is not up yet');
    return client;
  };
  await using dify = await startFakeDify({
    key: INNER_KEY,
    llm: llmByPlugin(current, { base_url: `${model.url}/v1` }),
    tool: toolByPlugin(current),
  });
  const startedAt = performance.now();
  const dataDirectory = values['data-dir'];
  await using daemon = await DaemonProcess.start({
    innerApi: { url: dify.url, key: INNER_KEY },
    ...(dataDirectory ? { dataDirectory } : {}),
  });
  stopOnSignal(daemon);
  heading('0  A daemon');
  done(`healthy at ${daemon.url}`, startedAt);
  detail(`data in ${daemon.dataDirectory}${dataDirectory ? '' : ' (removed at the end)'}, log in ${daemon.logFile}`);
  await using ours = new DaemonClient({ url: daemon.url, key: daemon.key });
  client = ours;
  try {
    const tool = await toolScene(ours);
    await modelScene(ours, model.url);
    await agentScene(ours, tool);
  } catch (error) {
    process.stderr.write(`\n${pc.dim(`the daemon's last lines:\n${daemon.logTail(12)}`)}\n`);
    throw error;
  }
  const calls = [...dify.requests].map(([path, count]) => `${path} ${count}×`).join(', ');
  heading('Done');
  line(`The agent called back through (a fake) Dify: ${calls}.`);
  line(`Start a daemon of your own with ${pc.bold('npm start')}, and point Dify at it as README.md says.`);
}

/** Ctrl-C ends the daemon and its plugins too, and leaves no temporary directory. */
function stopOnSignal(daemon: DaemonProcess): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      daemon.close().then(
        () => process.exit(130),
        () => process.exit(1),
      );
    });
}

try {
  if (values.url) await againstRunningDaemon(values.url, values.key ?? process.env.SERVER_KEY ?? '');
  else await againstOwnDaemon();
} catch (error) {
  failure(error);
  if (error instanceof DaemonAnswerError && error.type) detail(`error type ${error.type}`);
  process.exitCode = 1;
}
