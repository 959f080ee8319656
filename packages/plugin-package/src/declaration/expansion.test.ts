/** Small packages that would become large declarations. */
import { expect, test } from 'vitest';
import { assembleDeclaration, decodeRegisteredList, type FileSource } from './index.ts';

const label = '{en_US: x}';
const manifest = (extra = '', tools = '[provider/a.yaml]'): string => `
version: 0.0.1
type: plugin
author: a
name: b
label: ${label}
description: ${label}
icon: i.svg
created_at: 2026-01-01T00:00:00Z
resource: {memory: 1}
plugins: {tools: ${tools}}
meta: {version: 0.0.1, arch: [amd64], runner: {language: python, version: "3.12", entrypoint: main}}
${extra}`;
const provider = (tools: string, extra = ''): string => `
${extra}
identity: {author: a, name: b, label: ${label}, description: ${label}, icon: i.svg}
tools: ${tools}
`;
const tool = (more = ''): string => `
identity: {author: a, name: t, label: ${label}}
description: {human: ${label}, llm: x}
${more}`;

const assemble = (files: Readonly<Record<string, string>>) => {
  const source: FileSource = {
    names: Object.keys(files),
    read: (name) => Buffer.from(files[name] ?? ''),
  };
  return JSON.stringify(assembleDeclaration(source).declaration);
};

test('aliases are taken, and a plugin that means well has room for them', () => {
  const text = assemble({
    'manifest.yaml': manifest(),
    'provider/a.yaml': provider('[tools/t.yaml]'),
    'tools/t.yaml': tool(`x: &words {en_US: "${'long '.repeat(100)}"}
parameters: [${Array.from({ length: 200 }, (_, i) => `{name: p${i}, type: string, label: *words, human_description: *words}`).join(', ')}]`),
  });
  expect(text.length).toBeGreaterThan(200_000);
});

test.each([
  [
    'a text of kilobytes through a hundred thousand aliases',
    {
      'tools/t.yaml': tool(`x: &long "${'x'.repeat(10_000)}"\noutput_schema: {a: [${'*long, '.repeat(5000)}*long]}`),
    },
  ],
  [
    'aliases of aliases',
    {
      'tools/t.yaml': tool(
        `a0: &a0 [${'"0123456789",'.repeat(50)}]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n')}\noutput_schema: {a: *a9}`,
      ),
    },
  ],
  [
    'merges of merges of nothing',
    {
      'tools/t.yaml': tool(
        `a0: &a0 {}\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} {<<: [*a${i}, *a${i}]}`).join('\n')}\noutput_schema: *a40`,
      ),
    },
  ],
  [
    'one file named a thousand times',
    {
      'provider/a.yaml': provider(`[${'tools/t.yaml, '.repeat(1000)}]`),
      'tools/t.yaml': tool(`parameters: [{name: p, label: {en_US: "${'x'.repeat(20_000)}"}}]`),
    },
  ],
  ['a hundred thousand empty objects', { 'tools/t.yaml': tool(`parameters: [${'{}, '.repeat(120_000)}]`) }],
  ['a file of megabytes', { 'tools/t.yaml': tool(`x: "${'x'.repeat(5_000_000)}"`) }],
  [
    'many large texts of its own',
    {
      'provider/a.yaml': provider(`[${Array.from({ length: 10 }, (_, i) => `tools/${i}.yaml`).join(', ')}]`),
      ...Object.fromEntries(
        Array.from({ length: 10 }, (_, i) => [
          `tools/${i}.yaml`,
          tool(`output_schema: {a: "${'x'.repeat(1_000_000)}"}`),
        ]),
      ),
    },
  ],
])('%s are refused', (_, files) => {
  expect(() =>
    assemble({ 'manifest.yaml': manifest(), 'provider/a.yaml': provider('[tools/t.yaml]'), ...files }),
  ).toThrow(/excessive aliasing|too many objects|at most \d+ are allowed/);
});

test('of many mistakes a hundred are told', () => {
  const wrong = tool(`parameters: [${'{name: [], type: {}}, '.repeat(10_000)}]`);
  try {
    assemble({ 'manifest.yaml': manifest(), 'provider/a.yaml': provider('[tools/t.yaml]'), 'tools/t.yaml': wrong });
  } catch (error) {
    expect(String(error).length).toBeLessThan(20_000);
    return;
  }
  throw new Error('it was taken');
});

test('a registered list of a million empty objects is refused before they are filled in', () => {
  const tools = Array.from({ length: 1_000_000 }, () => ({}));
  expect(() => decodeRegisteredList('tools', [{ credentials_schema: [], tools }])).toThrow('more than 100000 objects');
});
