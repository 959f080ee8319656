"""A plugin that speaks the stdio protocol with the standard library alone and does what no plugin should.

`variant.json` beside this file says how it starts:
    {}                     well: heartbeat at once
    {"start": "exit"}      it fails while it is imported
    {"start": "silent"}    it never sends a heartbeat
    {"start": "slow", "seconds": 1}
    {"start": "deaf"}      it lives and never reads its input
    {"start": "gate", "file": "/path"}   its heartbeat waits until the file exists

One thread serves all sessions. A tool is a function of the session and its parameters; what it returns is run in small
steps, each with a pause that it yields in seconds.
"""

import heapq
import json
import os
import select
import signal
import sys
import time
from itertools import count

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "variant.json")) as file:
    VARIANT = json.load(file)
START = VARIANT.get("start", "well")

if START == "exit":
    print("about to fail", file=sys.stderr, flush=True)
    raise RuntimeError("the module cannot be imported")


def put(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


def beat():
    put(b'{"event":"heartbeat","session_id":"","data":{}}\n')


def message(session, kind, data):
    return encode({"event": "session", "session_id": session, "data": {"type": kind, "data": data}}) + b"\n"


def text(value):
    return {"type": "text", "message": {"text": value}, "meta": None}


def send(session, value):
    put(message(session, "stream", text(value)))


def end(session):
    put(message(session, "end", None))


# Events that came from the daemon, newest last: (event, session, data).
SEEN = []
# Tells one process from the next, also where all of them have the same number.
LIFE = os.urandom(8).hex()


def echo(session, text="", **_):
    send(session, text)
    end(session)


def pid(session, **_):
    echo(session, str(os.getpid()))


def life(session, **_):
    echo(session, LIFE)


def run(session, code="", **_):
    """Whatever a test wants to know from inside: `result` after the code has run."""
    scope = {}
    try:
        exec(code, scope)
        result = scope.get("result")
    except BaseException as error:
        result = repr(error)
    echo(session, json.dumps(result))


def environ(session, **_):
    echo(session, json.dumps(dict(os.environ)))


def seen(session, of="", **_):
    echo(session, json.dumps([entry for entry in SEEN if entry[1] == of]))


def garbage(session, **_):
    put(b"print() of a careless author\n")
    put(b"\xff\xfe\x00\x01 no utf-8 at all \x80\n")
    put(b'{"event":"session","session_id":"' + session.encode() + b'","data":\n')
    put(b"null\n[1,2,3]\n42\n{}\n\n\r\n")
    put(b'{"event":"session"}\n{"event":"session","session_id":7,"data":[]}\n{"event":"nonsense"}\n')
    put(b'{"event":"session","session_id":"","data":{"type":"stream","data":{}}}\n')
    print("and to stderr: \u00fc", file=sys.stderr, flush=True)
    echo(session, "after the garbage")


def long(session, bytes=0, **_):
    send(session, "x" * int(bytes))
    end(session)


def flood(session, bytes=0, size=1024, **_):
    line = message(session, "stream", text("y" * int(size)))
    block = line * max(1, 65536 // len(line))
    left = int(bytes)
    while left > 0:
        put(block)
        left -= len(block)
        yield 0
    send(session, "last")
    end(session)


def drip(session, count=10, seconds=0.1, **_):
    send(session, session)
    for number in range(int(count)):
        yield float(seconds)
        send(session, str(number))
    end(session)


def hang(session, **_):
    send(session, session)


def forge(session, of="", **_):
    for kind, data in (("stream", text("forged")), ("error", {"error_type": "Forged", "message": "no", "args": {}})):
        put(message(of, kind, data))
    put(message(of, "end", None))
    put(message(of, "invoke", {"type": "tool", "backwards_request_id": "forged", "request": {}}))
    echo(session, "tried")


def twins(session, **_):
    put(message(session, "stream", text("one")).strip() + message(session, "stream", text("two")).strip())
    put(b"\n")
    put(message(session, "stream", text("three")).strip() + b" " + message(session, "end", None))


def late(session, **_):
    echo(session, session)
    put(message(session, "invoke", {"type": "tool", "backwards_request_id": "late-1", "request": {}}))


def kill(session, **_):
    send(session, "before")
    print("these are my last words", file=sys.stderr, flush=True)
    yield 0.2
    os.kill(os.getpid(), signal.SIGKILL)


def call_back(session, request=None, kind="tool", **_):
    put(message(session, "invoke", {"type": kind, "backwards_request_id": session + "/1", "request": request or {}}))


def say(session, line="", **_):
    """One line as it is given; `%` stands for the session's id."""
    put(line.replace("%", session).encode("utf-8", "surrogatepass") + b"\n")
    echo(session, "said")


TOOLS = {
    "echo": echo, "pid": pid, "life": life, "run": run, "environ": environ, "seen": seen, "garbage": garbage, "long": long, "flood": flood,
    "drip": drip, "hang": hang, "forge": forge, "twins": twins, "late": late, "kill": kill,
    "call_back": call_back, "say": say,
}

order = count()
sleeping = []


def step(task):
    try:
        heapq.heappush(sleeping, (time.monotonic() + next(task), next(order), task))
    except StopIteration:
        pass


def answered(session, data):
    """What came back from Dify goes to the caller as it is."""
    if data.get("event") == "end":
        end(session)
    else:
        send(session, json.dumps([data.get("event"), data.get("message"), data.get("data")]))


def receive(line):
    event = json.loads(line)
    session, data = event["session_id"], event.get("data") or {}
    SEEN.append((event.get("event"), session, None if event.get("event") == "request" else data))
    del SEEN[:-2000]
    if event.get("event") == "request":
        task = TOOLS[data["tool"]](session, **(data.get("tool_parameters") or {}))
        if task is not None:
            step(task)
    elif event.get("event") == "backwards_response" and data.get("backwards_request_id") == session + "/1":
        answered(session, data)


def run():
    os.set_blocking(0, False)
    pieces = []
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            beat()
            due = now + 10
        while sleeping and sleeping[0][0] <= now:
            step(heapq.heappop(sleeping)[2])
        wait = max(0.0, min(due, sleeping[0][0] if sleeping else due) - time.monotonic())
        if not select.select([0], [], [], wait)[0]:
            continue
        try:
            data = os.read(0, 1 << 18)
        except BlockingIOError:
            continue
        if not data:
            return
        pieces.append(data)
        if b"\n" not in data:
            continue
        *lines, rest = b"".join(pieces).split(b"\n")
        pieces = [rest]
        for line in lines:
            if line.strip():
                receive(line)


if START == "silent":
    time.sleep(600)
elif START == "slow":
    time.sleep(VARIANT["seconds"])
elif START == "gate":
    while not os.path.exists(VARIANT["file"]):
        time.sleep(0.02)
elif START == "deaf":
    while True:
        beat()
        time.sleep(1)

run()
