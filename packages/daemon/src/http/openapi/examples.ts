/** Examples for the description: what to send and what comes back, by operation. */

interface Example {
  readonly request?: unknown;
  /** The envelope's `data`; of one event where the answer is a stream. */
  readonly data?: unknown;
}

const identifier = 'examples/text_report:0.0.1@2f1e0d9c8b7a69584736251403f2e1d0c9b8a79685746352413f0e1d2c3b4a59';
const task = '01a20578-fab7-7d3c-95c7-645f50e0325d';
const tenant = '00000000-0000-4000-8000-000000000001';
const at = '2026-11-22T22:55:44.311874Z';
const user = 'user-1';

const llm = {
  provider: 'openai_endpoint',
  model: 'small',
  model_type: 'llm',
  credentials: { base_url: 'http://127.0.0.1:8080/v1' },
  model_parameters: { temperature: 0.2 },
  prompt_messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  tools: [],
  stop: [],
  stream: true,
};
const tool = {
  provider: 'text_report',
  tool: 'report',
  credentials: {},
  tool_parameters: { text: 'The fog comes on little cat feet.', top: 3 },
};
const toolMessage = { type: 'text', message: { text: '7 words' }, meta: null };
const llmChunk = {
  model: 'small',
  system_fingerprint: '',
  prompt_messages: [],
  delta: {
    index: 0,
    message: { role: 'assistant', content: 'Because', name: '', tool_calls: [], tool_call_id: '' },
    usage: null,
    finish_reason: null,
  },
};

export const examples: Readonly<Record<string, Example>> = {
  installPlugins: {
    request: { plugin_unique_identifiers: [identifier], source: 'package', metas: [{}] },
    data: { all_installed: false, task_id: task },
  },
  upgradePlugin: {
    request: {
      original_plugin_unique_identifier: identifier.replace('0.0.1', '0.0.0'),
      new_plugin_unique_identifier: identifier,
      source: 'package',
      meta: {},
    },
    data: { all_installed: true, task_id: '' },
  },
  uninstallPlugin: { request: { plugin_installation_id: task }, data: true },
  getInstallTask: {
    data: {
      id: task,
      created_at: at,
      updated_at: at,
      status: 'running',
      tenant_id: tenant,
      total_plugins: 1,
      completed_plugins: 0,
      plugins: [
        {
          plugin_unique_identifier: identifier,
          labels: { en_US: 'Text report' },
          icon: '',
          icon_dark: '',
          plugin_id: 'examples/text_report',
          status: 'running',
          message: 'installing dependencies',
          source: 'package',
        },
      ],
    },
  },
  findInstallations: { request: { plugin_ids: ['examples/text_report'] }, data: [] },
  listMissingPlugins: {
    request: { plugin_unique_identifiers: [identifier] },
    data: [{ plugin_unique_identifier: identifier, current_identifier: '' }],
  },
  checkToolsExistence: {
    request: { provider_ids: [{ plugin_id: 'examples/text_report', provider_name: 'text_report' }] },
    data: [true],
  },
  getDebuggingKey: { data: { key: '5f0c3a3e-6f60-4d0c-9f6b-1a2b3c4d5e6f' } },
  setupEndpoint: {
    request: { plugin_unique_identifier: identifier, user_id: user, settings: { secret: 's' }, name: 'notes' },
    data: true,
  },
  enableEndpoint: { request: { endpoint_id: task }, data: true },
  invokeTool: { request: { user_id: user, data: tool }, data: toolMessage },
  directInvokeTool: { request: { tenant_id: tenant, user_id: user, data: tool }, data: toolMessage },
  invokeLlm: { request: { user_id: user, data: llm }, data: llmChunk },
  directInvokeLlm: { request: { tenant_id: tenant, user_id: user, data: llm }, data: llmChunk },
};
