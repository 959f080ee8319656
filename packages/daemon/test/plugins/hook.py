"""An endpoint plugin that speaks the stdio protocol with the standard library alone.

Every path below its hook is a thing it does; see PATHS. It prints what a careless author prints, to stderr.
"""

import hashlib
import json
import os
import sys
import threading
import time

lock = threading.Lock()


def put(value):
    data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    with lock:
        view = memoryview(data)
        while view:
            view = view[os.write(1, view):]


def message(session, kind, data):
    put({"event": "session", "session_id": session, "data": {"type": kind, "data": data}})


def answer(session, body, status=200, headers=None):
    part = {"status": status, "headers": headers or {"Content-Type": "text/plain"}}
    message(session, "stream", part)
    message(session, "stream", {"result": body.encode().hex()})
    message(session, "end", None)


def seen(session, request, settings, body):
    """The request line and what came behind the head: bytes and their digest."""
    line = request[: request.index(b"\r\n")].decode()
    answer(session, json.dumps([line, len(body), hashlib.sha256(body).hexdigest()]))


def settings(session, request, settings, body):
    answer(session, json.dumps(settings))


def says(session, request, settings, body):
    """Answers with the part that the request's body describes, and its "body" as the body."""
    part = json.loads(body)
    answer(session, part.get("body", ""), part.get("status", 200), part.get("headers"))


def raises(session, request, settings, body):
    """What an SDK sends for an exception, with all that a traceback tells."""
    print("connecting to postgres://admin:hunter2@db/app", file=sys.stderr, flush=True)
    message(
        session,
        "error",
        {"error_type": "OperationalError", "message": "hunter2 refused at " + __file__, "args": {"traceback": __file__}},
    )


def dies(session, request, settings, body):
    print("connecting to postgres://admin:hunter2@db/app", file=sys.stderr, flush=True)
    os._exit(3)


def sleeps(session, request, settings, body):
    """Reads nothing for a second: what comes meanwhile waits in the pipe and in the daemon."""
    time.sleep(1)
    answer(session, "slept")


PATHS = {"/seen": seen, "/settings": settings, "/says": says, "/raises": raises, "/dies": dies, "/sleeps": sleeps}


def receive(line):
    event = json.loads(line)
    if event.get("event") != "request":
        return
    session, data = event["session_id"], event["data"]
    request = bytes.fromhex(data["raw_http_request"])
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].split(b"?")[0].decode()
    PATHS.get(path, seen)(session, request, data["settings"], body)


def beat():
    while True:
        put({"event": "heartbeat", "session_id": "", "data": {}})
        time.sleep(10)


threading.Thread(target=beat, daemon=True).start()
for line in sys.stdin.buffer:
    if line.strip():
        receive(line)
