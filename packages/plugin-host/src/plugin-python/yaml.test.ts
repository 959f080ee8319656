/** The SDK's reading of YAML with another parser: the same values, and the same words where it fails. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { YAML_SCRIPT } from './yaml-script.ts';

let directory: string;

/** A stand-in for PyYAML that says which of its parsers was asked. */
const YAML = `
class CSafeLoader:
    pass

class YAMLError(Exception):
    pass

def load(stream, loader):
    text = stream.read() if hasattr(stream, "read") else stream
    if "refused" in text:
        raise YAMLError("words of the other one")
    return ["fast", loader.__name__, text]

def safe_load(stream):
    text = stream.read() if hasattr(stream, "read") else stream
    if "wrong" in text:
        raise YAMLError("words of its own: " + text)
    return ["plain", text]
`;

const SDK = `
import sys, types, json, io
${YAML_SCRIPT}
import yaml
sdk = types.ModuleType("yaml_loader")
sdk.yaml = yaml
_plugin_daemon_faster_yaml(sdk)
said = [sdk.yaml.safe_load("a"), sdk.yaml.safe_load(io.StringIO("b")), sdk.yaml.safe_load(io.StringIO("refused"))]
try:
    sdk.yaml.safe_load(io.StringIO("refused and wrong"))
except sdk.yaml.YAMLError as error:
    said.append(str(error))
said.append(yaml.safe_load("plugin"))
del yaml.CSafeLoader
other = types.ModuleType("yaml_loader")
other.yaml = yaml
_plugin_daemon_faster_yaml(other)
said.append(other.yaml is yaml)
_plugin_daemon_faster_yaml(types.ModuleType("empty"))
print(json.dumps(said))
`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'faster-yaml-'));
  writeFileSync(join(directory, 'yaml.py'), YAML);
  writeFileSync(join(directory, 'main.py'), SDK);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the fast parser is asked first, the other one has the last word, and plugins keep theirs', () => {
  const said = execFileSync('python3', ['main.py'], { cwd: directory, encoding: 'utf8' });
  expect(JSON.parse(said)).toEqual([
    ['fast', 'CSafeLoader', 'a'],
    ['fast', 'CSafeLoader', 'b'],
    ['plain', 'refused'],
    'words of its own: refused and wrong',
    ['plain', 'plugin'],
    true,
  ]);
});
