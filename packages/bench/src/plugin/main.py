"""A plugin that speaks the stdio protocol with the standard library alone.

It is built to be faster than any daemon, so that a measurement shows the daemon and not the SDK. One thread serves all
sessions: every request is a generator that yields what it waits for.

    yield None             let the others run
    yield 0.1              sleep so many seconds
    yield ("invoke", d)    call back into Dify; continues with the list of events up to "end"
"""

import heapq
import json
import os
import select
import sys
import time
from itertools import count

HEARTBEAT_SECONDS = 10.0
BLOCK_BYTES = 60 * 1024
LLM_USAGE = {
    "prompt_tokens": 1, "prompt_unit_price": "0", "prompt_price_unit": "0", "prompt_price": "0",
    "completion_tokens": 1, "completion_unit_price": "0", "completion_price_unit": "0", "completion_price": "0",
    "total_tokens": 2, "total_price": "0", "currency": "USD", "latency": 0.1,
}
CALLS = {
    "tool": {"tool_type": "builtin", "provider": "time", "tool": "current_time", "tool_parameters": {}},
    "text_embedding": {"provider": "p", "model": "m", "model_type": "text-embedding", "texts": ["a"], "input_type": "query"},
    "storage": {"opt": "set", "key": "bench", "value": "68656c6c6f"},
}


def encode(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def put(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


class Session:
    def __init__(self, session_id):
        self.id = session_id
        self.head = b'{"event":"session","session_id":"' + session_id.encode() + b'","data":{"type":"'

    def line(self, kind, value):
        return self.head + kind + b'","data":' + encode(value) + b"}}\n"

    def send(self, value):
        put(self.line(b"stream", value))

    def end(self):
        put(self.head + b'end","data":{}}}\n')

    def fail(self, name, message):
        put(self.line(b"error", {"error_type": name, "message": message, "args": {}}))


def text(value):
    return {"type": "text", "message": {"text": value}, "meta": None}


def llm_chunk(value, last=False):
    return {
        "model": "bench", "prompt_messages": [], "system_fingerprint": None,
        "delta": {
            "index": 0, "message": {"role": "assistant", "content": value, "name": "", "tool_calls": []},
            "usage": LLM_USAGE if last else None, "finish_reason": "stop" if last else None,
        },
    }


def flood(session, chunk, parameters):
    """`count` equal chunks; the first goes alone, so that the time to it can be measured, the others in blocks."""
    left = int(parameters.get("count", 100)) - 1
    line = session.line(b"stream", chunk("x" * int(parameters.get("size", 50))))
    put(line)
    yield None
    per_block = max(1, BLOCK_BYTES // len(line))
    block = line * per_block
    while left > 0:
        put(block if left >= per_block else line * left)
        left -= per_block
        yield None


def drip(session, parameters):
    for number in range(int(parameters.get("count", 10))):
        session.send(text("chunk %d" % number))
        yield float(parameters.get("interval_ms", 100)) / 1000


def call_back(session, parameters):
    kind = parameters.get("kind", "tool")
    failures = 0
    started = time.perf_counter()
    rounds = int(parameters.get("rounds", 1))
    for number in range(rounds):
        events = yield ("invoke", {
            "type": kind, "backwards_request_id": "%s/%d" % (session.id, number), "request": CALLS[kind],
        })
        failures += sum(event.get("event") == "error" for event in events)
    session.send({"type": "json", "meta": None, "message": {"json_object": {
        "rounds": rounds, "errors": failures, "seconds": time.perf_counter() - started}}})


def tool(session, request):
    name, parameters = request.get("tool"), request.get("tool_parameters") or {}
    if name == "echo":
        session.send(text(str(parameters.get("text", ""))))
    elif name == "pid":
        session.send(text(str(os.getpid())))
    elif name == "stream":
        yield from flood(session, text, parameters)
    elif name == "slow":
        yield from drip(session, parameters)
    elif name == "backwards":
        yield from call_back(session, parameters)
    elif name == "exit":
        session.send(text("leaving"))
        os._exit(3)
    else:
        session.fail("ValueError", "there is no tool %s" % name)
    session.end()


def llm(session, request):
    parameters = request.get("model_parameters") or {}
    if "count" in parameters:
        yield from flood(session, llm_chunk, parameters)
    else:
        session.send(llm_chunk("hello"))
        session.send(llm_chunk("", last=True))
    session.end()


ACTIONS = {"invoke_tool": tool, "invoke_llm": llm}


class Plugin:
    def __init__(self):
        self.order = count()
        self.sleeping = []
        self.runnable = []
        self.calling = {}

    def step(self, session, task, value=None):
        try:
            wish = task.send(value)
        except StopIteration:
            return
        if wish is None:
            self.runnable.append((session, task))
        elif isinstance(wish, tuple):
            self.calling[wish[1]["backwards_request_id"]] = (session, task, [])
            put(session.line(b"invoke", wish[1]))
        else:
            heapq.heappush(self.sleeping, (time.monotonic() + wish, next(self.order), session, task))

    def receive(self, line):
        message = json.loads(line)
        data = message.get("data") or {}
        if message.get("event") == "request":
            session = Session(message["session_id"])
            action = ACTIONS.get(data.get("action"))
            if action is None:
                session.fail("NotImplementedError", "there is no action %s" % data.get("action"))
                session.end()
            else:
                self.step(session, action(session, data))
        elif message.get("event") == "backwards_response":
            caller = self.calling.get(data.get("backwards_request_id"))
            if caller is None:
                return
            session, task, events = caller
            events.append(data)
            if data.get("event") == "end":
                del self.calling[data["backwards_request_id"]]
                self.step(session, task, events)

    def run(self):
        os.set_blocking(0, False)
        rest = b""
        beat = 0.0
        while True:
            now = time.monotonic()
            if now >= beat:
                put(b'{"event":"heartbeat","session_id":"","data":{}}\n')
                beat = now + HEARTBEAT_SECONDS
            while self.sleeping and self.sleeping[0][0] <= now:
                self.runnable.append(heapq.heappop(self.sleeping)[2:])
            batch, self.runnable = self.runnable, []
            for session, task in batch:
                self.step(session, task)
            if self.runnable:
                wait = 0.0
            else:
                wait = max(0.0, min(beat, self.sleeping[0][0] if self.sleeping else beat) - time.monotonic())
            if not select.select([0], [], [], wait)[0]:
                continue
            try:
                data = os.read(0, 1 << 18)
            except BlockingIOError:
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    self.receive(line)


if __name__ == "__main__":
    Plugin().run()
    sys.exit(0)
