/** A plugin on the real SDK that writes to standard output between the SDK's messages, as careless authors and native libraries do. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { report, reportToolPackage } from './report-tool.ts';

const TOOL = `
import os
import subprocess
import sys
from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage


def by_print(text):
    print(text, end="", flush=True)


def by_descriptor(text):
    os.write(1, text.encode())


def by_child(text):
    subprocess.run(["/usr/bin/printf", "%s", text], check=True)


WRITERS = {"print": by_print, "descriptor": by_descriptor, "child": by_child}


class ReportTool(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        writer, clutter, how = str(tool_parameters["text"]).split("|")
        write = WRITERS[writer]
        for number in range(5):
            write(clutter)
            yield self.create_text_message(f"{number}:" + '{"event":"session","session_id":"x","data":{"type":"end","data":{}}}')
        yield self.create_json_message({"event": "session", "data": {"type": "end"}})
        write(clutter)
        if how == "fail":
            raise ValueError("the reason")
`;

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.install(reportToolPackage(TOOL));
}, 300_000);

afterAll(async () => {
  await daemon?.close();
});

const call = (text: string) => report(daemon, text);

const CLUTTER = ['.', '{"progress": ', '"', "{'a': 1}", '[1, {"event": "he', '100%\r'];

test.each(['print', 'descriptor', 'child'])('messages arrive whole behind clutter written by %s', async (writer) => {
  for (const clutter of CLUTTER) {
    const stream = await call(`${writer}|${clutter}|well`);
    expect(stream.texts.map((text) => text.slice(0, 2))).toEqual(['0:', '1:', '2:', '3:', '4:']);
    expect(stream.events).toHaveLength(6);
    expect(stream.events.every((event) => event.code === 0)).toBe(true);
  }
});

test.each(['print', 'descriptor'])(
  'and so does the error that ends the call, behind clutter written by %s',
  async (writer) => {
    for (const clutter of CLUTTER) {
      const stream = await call(`${writer}|${clutter}|fail`);
      expect(stream.texts).toHaveLength(5);
      expect(stream.failure.inner).toMatchObject({ error_type: 'ValueError', message: 'the reason' });
    }
  },
);

test('the clutter is the log of the plugin', async () => {
  // More than 50 lines in a second are left out: again, until it is the only one.
  await eventually('the clutter is logged', async () => {
    await call('print|these are no messages|well');
    return daemon.log.includes('these are no messages') || undefined;
  });
});
