/** The three scenes of the demo: a tool, a language model, and an agent that calls back for both. */
import { basename, join } from 'node:path';
import type { Data, DispatchData } from '@plugin-daemon/client';
import pc from 'picocolors';
import type { DaemonClient, Uploaded } from '../daemon/index.ts';
import { EXAMPLES, folderPackage } from '../plugin/package.ts';
import { detail, done, heading, InstallProgress, line, StreamedText } from './terminal.ts';

const POEM =
  'The fog comes on little cat feet. It sits looking over harbor and city on silent haunches and then moves on.';

/** Packages a folder of `examples/`, uploads and installs it. */
export async function installExample(client: DaemonClient, folder: string): Promise<Uploaded> {
  const packed = folderPackage(join(EXAMPLES, folder));
  detail(`packaged examples/${basename(folder)}: ${(packed.length / 1024).toFixed(1)} KB`);
  const uploadedAt = performance.now();
  const uploaded = await client.upload(packed);
  done(`uploaded as ${uploaded.unique_identifier.split('@')[0]}`, uploadedAt);
  const startedAt = performance.now();
  const progress = new InstallProgress();
  try {
    await client.install(uploaded.unique_identifier, (task) => progress.update(task));
  } finally {
    progress.end();
  }
  done('installed, its environment built and its process running', startedAt);
  return uploaded;
}

export async function toolScene(client: DaemonClient): Promise<Uploaded> {
  heading('1  A tool');
  const uploaded = await installExample(client, 'tool-text-report');
  line(pc.bold('invoke text_report/report:'));
  const call = { provider: 'text_report', tool: 'report', tool_parameters: { text: POEM, top: 3 }, credentials: {} };
  await show(client.api.invoke('invokeTool', 'examples/text_report', call));
  return uploaded;
}

export async function modelScene(client: DaemonClient, modelUrl: string): Promise<void> {
  heading('2  A language model');
  await installExample(client, 'llm-openai-compatible');
  line(pc.bold('invoke a model of a (fake) OpenAI-compatible server:'));
  const call: DispatchData<'invokeLlm'> = {
    provider: 'openai_endpoint',
    model: 'small-fake',
    model_type: 'llm',
    credentials: { base_url: `${modelUrl}/v1` },
    model_parameters: {},
    prompt_messages: [{ role: 'user', content: 'Why is the sky blue?' }],
    tools: [],
    stop: [],
    stream: true,
  };
  await show(client.api.invoke('invokeLlm', 'examples/openai_endpoint', call));
}

/** `tool` is the upload of the tool's package: as in Dify, the agent is given the declared tool. */
export async function agentScene(client: DaemonClient, tool: Uploaded): Promise<void> {
  heading('3  An agent that calls back for the model and the tool');
  await installExample(client, 'agent-strategy-tool-loop');
  line(pc.bold('invoke tool_loop/loop:'));
  const call = {
    agent_strategy_provider: 'tool_loop',
    agent_strategy: 'loop',
    agent_strategy_params: {
      model: {
        provider: 'examples/openai_endpoint/openai_endpoint',
        model: 'small-fake',
        model_type: 'llm',
        mode: 'chat',
        completion_params: {},
        history_prompt_messages: [],
        type: 'model-selector',
      },
      tools: tool.manifest.tool?.tools.map((declared) => ({
        ...declared,
        identity: { ...declared.identity, provider: 'examples/text_report/text_report' },
        provider_type: 'builtin',
        runtime_parameters: { top: 2 },
      })),
      instruction: 'Use the tools you have.',
      query: POEM,
      maximum_iterations: 3,
    },
  };
  await show(client.api.invoke('invokeAgentStrategy', 'examples/tool_loop', call));
}

type Message = Data<'invokeTool'> | Data<'invokeAgentStrategy'>;
type Chunk = Data<'invokeLlm'>;

/** Prints messages of tools and agents, and chunks of models, as they arrive. */
async function show(events: AsyncIterable<Message | Chunk>): Promise<void> {
  const text = new StreamedText();
  const notes: string[] = [];
  let file = 0;
  const startedAt = performance.now();
  let firstAt: number | undefined;
  let count = 0;
  for await (const event of events) {
    firstAt ??= performance.now();
    count++;
    const content = contentOf(event);
    if (content) text.write(content);
    const note = 'delta' in event ? usageOf(event) : noteOf(event);
    if (!('delta' in event) && event.type === 'log') {
      text.end();
      if (note) line(pc.dim(note));
    } else if (note) notes.push(note);
    if ('delta' in event || event.type !== 'blob_chunk') continue;
    const { message, meta } = event;
    file += Buffer.byteLength(message?.blob ?? '', 'base64');
    if (message?.end) notes.push(`file ${meta?.filename}, ${file} bytes of ${meta?.mime_type}`);
  }
  text.end();
  for (const note of notes) line(pc.dim(note));
  if (count === 0) throw new Error('the plugin answered nothing');
  done(`${count} messages, the first after ${Math.round((firstAt ?? startedAt) - startedAt)} ms`, startedAt);
}

function contentOf(event: Message | Chunk): string | undefined {
  if (!('delta' in event)) return event.type === 'text' ? event.message?.text : undefined;
  const { content } = event.delta.message;
  return typeof content === 'string' ? content : undefined;
}

const usageOf = ({ delta: { usage } }: Chunk): string | undefined =>
  usage === null ? undefined : `usage: ${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`;

function noteOf({ type, message }: Message): string | undefined {
  if (type === 'json') return `json ${clip(JSON.stringify(message?.json_object))}`;
  if (type === 'variable') return `variable ${message?.variable_name} = ${JSON.stringify(message?.variable_value)}`;
  if (type === 'log')
    return `${message?.status === 'start' ? '▸' : '✓'} ${message?.label}${message?.error ? `: ${message.error}` : ''}`;
  return undefined;
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
