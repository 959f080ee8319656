/** Rows of `dify plugin …` that start plugins, and the one that cleans up after a daemon. */

import type { CommandRow, Flag } from '../command.ts';
import { FOLDER, FOLDER_OR_PACKAGE } from './rows-plugin.ts';

const MOCK_FLAGS: readonly Flag[] = [
  {
    name: 'mock',
    type: 'string',
    value: 'file',
    help: 'JSON or YAML file with answers for calls into Dify, by kind (llm, tool, storage …); built-in answers for the rest',
  },
  {
    name: 'storage-dir',
    type: 'string',
    value: 'folder',
    help: 'keep the data a plugin stores here instead of in memory',
  },
];

const UV_FLAGS: readonly Flag[] = [
  { name: 'uv', type: 'string', value: 'file', help: 'uv executable (also: UV_PATH)' },
  {
    name: 'python',
    type: 'string',
    value: 'version|file',
    help: 'Python to use instead of the version in the manifest',
  },
];

export const RUN_ROWS: readonly CommandRow[] = [
  {
    path: ['plugin', 'run'],
    summary: 'Start a plugin and let another program invoke it over lines of JSON',
    details:
      'Reads one request per line from stdin ({"invoke_id","type","action","request"}) or from TCP connections and writes one JSON object per line. Calls back into Dify get fixed answers. The Python environment is kept between runs. Ends on SIGTERM, on Ctrl-C, and after the last running call when stdin ends.',
    args: [
      {
        name: 'plugin_package_path',
        help: 'a .difypkg file, or the folder of a plugin',
        optional: true,
        default: '.',
      },
    ],
    flags: [
      { name: 'mode', short: 'm', type: 'string', default: 'stdio', help: 'where requests come from: stdio or tcp' },
      { name: 'enable-logs', short: 'l', type: 'boolean', help: "show the plugin's log on stderr" },
      {
        name: 'response-format',
        short: 'r',
        type: 'string',
        default: 'text',
        help: 'text (for people) or json (for programs)',
      },
      { name: 'host', type: 'string', default: '127.0.0.1', help: 'address to listen on in tcp mode' },
      { name: 'port', type: 'integer', default: 0, help: 'port to listen on in tcp mode; 0 takes a free one' },
      { name: 'token', type: 'string', help: 'in tcp mode: the first line of a connection must be {"token":"…"}' },
      ...MOCK_FLAGS,
      ...UV_FLAGS,
    ],
    examples: [
      {
        command: 'dify plugin run weather.difypkg --response-format json',
        explains: 'for a test harness on stdin and stdout',
      },
      { command: 'dify plugin run ./weather -m tcp --port 4000 -l', explains: 'for any number of clients, with logs' },
    ],
    load: () => import('../run/command.ts'),
  },
  {
    path: ['plugin', 'invoke'],
    summary: 'Call one tool, model, strategy, endpoint, datasource or trigger of a plugin',
    details:
      'Starts the plugin, builds the request from its declaration, converts each parameter by its declared type, shows the answer as it streams in. Values: text as it is, @file for the contents of a file, JSON for objects and lists. Without a name the only one there is is taken; without a kind the possible calls are listed.',
    args: [
      FOLDER_OR_PACKAGE,
      {
        name: 'kind',
        help: 'tool, llm, text-embedding, rerank, tts, speech2text, moderation, agent-strategy, endpoint, datasource, trigger, event',
        optional: true,
      },
      { name: 'name', help: 'name of the tool, model, strategy, path, datasource or event', optional: true },
    ],
    flags: [
      { name: 'param', short: 'p', type: 'list', value: 'name=value', help: 'a parameter (repeatable)' },
      {
        name: 'credential',
        short: 'c',
        type: 'list',
        value: 'name=value',
        help: 'a credential or endpoint setting (repeatable)',
      },
      {
        name: 'credentials',
        type: 'string',
        value: 'file|env:PREFIX',
        help: 'credentials from a JSON or YAML file, or from variables PREFIX_NAME',
      },
      { name: 'data', type: 'string', value: 'json|@file', help: 'the complete request, or what to add to it' },
      { name: 'action', type: 'string', help: 'another action of the kind, for example validate_tool_credentials' },
      { name: 'out-dir', type: 'string', value: 'folder', help: 'write files the plugin sends into this folder' },
      { name: 'timeout', type: 'integer', value: 'seconds', default: 300, help: 'give up after this long' },
      {
        name: 'record',
        type: 'string',
        value: 'file',
        help: 'write request, answers and calls into Dify as a fixture',
      },
      {
        name: 'replay',
        type: 'string',
        value: 'file',
        help: 'repeat a recorded request and compare the answers (exit code 1 when they differ)',
      },
      ...MOCK_FLAGS,
      ...UV_FLAGS,
    ],
    examples: [
      { command: 'dify plugin invoke tool -p query=Oslo', explains: 'the only tool of the plugin in this folder' },
      {
        command: 'dify plugin invoke openai.difypkg llm gpt-4o --credentials env:OPENAI -p prompt="Say hi"',
        explains: 'a model, credentials from OPENAI_… variables',
      },
      {
        command: 'dify plugin invoke tool -p query=Oslo --record tests/oslo.json',
        explains: 'keep it as a fixture; later: --replay tests/oslo.json',
      },
    ],
    load: () => import('../run/invoke.ts'),
  },
  {
    path: ['plugin', 'test'],
    summary: 'Repeat every recorded call of a plugin and compare the answers',
    details:
      'Runs all fixtures of tests/*.json (made with plugin invoke --record) against one started plugin. Exit code 1 when an answer differs.',
    args: [
      FOLDER_OR_PACKAGE,
      { name: 'fixtures', help: 'fixture files (default: tests/*.json of the plugin)', optional: true, variadic: true },
    ],
    flags: [
      { name: 'junit', type: 'string', value: 'file', help: 'also write the results as JUnit XML' },
      { name: 'timeout', type: 'integer', value: 'seconds', default: 300, help: 'give up on a call after this long' },
      ...UV_FLAGS,
    ],
    load: () => import('../run/test.ts'),
  },
  {
    path: ['plugin', 'dev'],
    summary: 'Run a plugin and restart it on every change',
    details:
      'Connects to the Dify or daemon named in the .env file of the plugin (REMOTE_INSTALL_URL, REMOTE_INSTALL_KEY) and keeps the connection alive. With --local nothing else is needed: calls come from this terminal, calls into Dify get fixed answers. Broken YAML does not stop the running plugin: it is replaced when the files are valid again.',
    args: [FOLDER],
    flags: [
      { name: 'local', type: 'boolean', help: 'run without a Dify; requests are read from stdin as for plugin run' },
      { name: 'url', type: 'string', value: 'host:port', help: 'debugging address instead of REMOTE_INSTALL_URL' },
      { name: 'key', type: 'string', help: 'debugging key instead of REMOTE_INSTALL_KEY' },
      { name: 'once', type: 'boolean', help: 'do not watch: end when the plugin ends' },
      ...MOCK_FLAGS,
      ...UV_FLAGS,
    ],
    examples: [
      { command: 'dify plugin dev', explains: 'against the Dify named in .env' },
      { command: 'dify plugin dev --local', explains: 'without a Dify' },
    ],
    load: () => import('../run/dev.ts'),
  },
  {
    path: ['plugin', 'cleanup'],
    summary: "Delete old versions from a daemon's working folder",
    details:
      'For operators. Keeps the newest version of every plugin below <path>/<author>/<name>-<version>@<checksum> and removes the others, with their database rows when the database settings of the daemon are in the environment. Refuses a version that is still installed, unless --force is given. Nothing is deleted without confirmation.',
    args: [],
    ignoreExtraArgs: true,
    flags: [
      { name: 'path', short: 'p', type: 'string', value: 'folder', help: 'working folder of the daemon' },
      { name: 'dry-run', type: 'boolean', help: 'say what would be deleted, delete nothing' },
      { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' },
      { name: 'force', type: 'boolean', help: 'also delete versions that are still installed' },
    ],
    load: () => import('../plugin/cleanup.ts'),
  },
];
