import { writeZip } from '../archive/index.ts';

/** Small plugins for tests, one per category, and what is needed to put them together and to change them. */

export type Files = Record<string, string>;

const ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>';

function manifest(name: string, plugins: string, more = ''): string {
  return `version: 1.2.3
type: plugin
author: studio
name: ${name}
label: {en_US: ${name}}
description: {en_US: About ${name}, ja_JP: 説明}
icon: icon.svg
created_at: 2026-03-04T05:06:07.080900000Z
resource: {memory: 1048576}
plugins: ${plugins}
meta:
  version: 0.0.1
  arch: [amd64, arm64]
  runner: {language: python, version: "3.12", entrypoint: main}
${more}`;
}

function common(files: Files): Files {
  return { '_assets/icon.svg': ICON, 'README.md': '# read me\n', 'main.py': '', 'requirements.txt': '', ...files };
}

export function toolPlugin(): Files {
  return common({
    'manifest.yaml': manifest('lamp', '{tools: [provider/lamp.yaml]}', 'tags: [utilities, agent]\n'),
    'provider/lamp.yaml': `identity:
  author: studio
  name: lamp
  label: {en_US: Lamp}
  icon: icon.svg
credentials_for_provider:
  key:
    type: secret-input
    required: true
    label: {en_US: Key}
  tone:
    type: select
    default: warm
    label: {en_US: Tone}
    options:
      - {value: warm, label: {en_US: Warm}}
      - {value: 7, label: {en_US: Seven}}
tools:
  - tools/dim.yaml
extra: {python: {source: provider/lamp.py}, python: {}}
`,
    'tools/dim.yaml': `identity: {author: studio, name: dim, label: {en_US: Dim}}
description: {human: {en_US: Dims a lamp}, llm: dims}
parameters:
  - name: level
    type: number
    form: llm
    required: yes
    label: {en_US: Level}
    human_description: {en_US: How bright}
    default: 18446744073709551615
    min: 0
    max: 1.5
`,
  });
}

export function modelPlugin(): Files {
  return common({
    'manifest.yaml': manifest('mind', '{models: [provider/mind.yaml]}'),
    'provider/mind.yaml': `provider: mind
label: {en_US: Mind}
icon_small: {en_US: icon.svg, zh_Hans: icon.svg}
supported_model_types: [llm]
configurate_methods: [predefined-model]
provider_credential_schema:
  credential_form_schemas:
    - {variable: key, label: {en_US: Key}, type: secret-input, required: true}
models:
  llm:
    position: models/llm/_position.yaml
    predefined: ["models/llm/*.yaml"]
`,
    'models/llm/_position.yaml': '- grand\n- petit\n',
    'models/llm/grand.yaml': `model: grand
label: {en_US: Grand}
model_type: llm
model_properties: {mode: chat, context_size: 1000}
parameter_rules:
  - {name: temperature, use_template: temperature, max: 2}
  - {name: think, type: boolean}
pricing: {input: '0.50', unit: 1e-6, currency: USD}
`,
    'models/llm/petit.yaml': 'model: petit\nmodel_type: llm\n',
  });
}

export function endpointPlugin(): Files {
  return common({
    'manifest.yaml': manifest('bell', '{endpoints: [group/bell.yaml]}'),
    'group/bell.yaml': `settings:
  - {name: token, type: secret-input, required: true, label: {en_US: Token}}
endpoints:
  - endpoints/ring.yaml
  - {path: /inline, method: POST, hidden: true}
`,
    'endpoints/ring.yaml': 'path: /ring/<who>\nmethod: GET\n',
  });
}

export function agentPlugin(): Files {
  return common({
    'manifest.yaml': manifest('scout', '{agent_strategies: [provider/scout.yaml]}'),
    'provider/scout.yaml': `identity: {author: studio, name: scout, label: {en_US: Scout}, icon: icon.svg}
strategies: [strategies/look.yaml]
`,
    'strategies/look.yaml': `identity: {author: studio, name: look, label: {en_US: Look}}
description: {en_US: Looks around}
parameters:
  - {name: model, type: model-selector, scope: tool-call&llm, required: true, label: {en_US: Model}}
`,
  });
}

export function datasourcePlugin(): Files {
  return common({
    'manifest.yaml': manifest('shelf', '{datasources: [provider/shelf.yaml]}'),
    'provider/shelf.yaml': `identity:
  {author: studio, name: shelf, label: {en_US: Shelf}, description: {en_US: Books}, icon: icon.svg}
provider_type: online_document
credentials_schema: []
oauth_schema: {client_schema: [{name: id, type: text-input, label: {en_US: Id}}]}
datasources: [datasources/books.yaml]
`,
    'datasources/books.yaml': `identity: {author: studio, name: books, label: {en_US: Books}, icon: icon.svg}
description: {en_US: All books}
output_schema: {type: object}
`,
  });
}

export function triggerPlugin(): Files {
  return common({
    'manifest.yaml': manifest('tide', '{triggers: [provider/tide.yaml]}', 'tags: [trigger]\n'),
    'provider/tide.yaml': `identity: {author: studio, name: tide, label: {en_US: Tide}, icon: icon.svg}
subscription_schema:
  secret: {type: secret-input, label: {en_US: Secret}}
subscription_constructor:
  parameters:
    - {name: coast, type: dynamic-select, label: {en_US: Coast}}
  oauth_schema: {}
events: [events/rise.yaml]
`,
    'events/rise.yaml': `identity: {author: studio, name: rise, label: {en_US: Rise}}
description: {en_US: The water rises}
`,
  });
}

/** A package of files, as an archiver would make it: names in byte order. */
export function pack(files: Readonly<Record<string, string | Uint8Array>>, comment = ''): Buffer {
  const entries = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return writeZip(entries, comment);
}

/** Files with a text in one of them replaced; complains when there is nothing to replace. */
export function edit(files: Files, name: string, from: string, to: string): Files {
  const content = files[name];
  if (!content?.includes(from)) throw new Error(`${name} does not contain ${from}`);
  return { ...files, [name]: content.replace(from, to) };
}

export function without(files: Files, name: string): Files {
  const { [name]: _, ...rest } = files;
  return rest;
}
