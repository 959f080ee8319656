"""A function as the SDK's serverless mode makes one, that does what its calls ask for: the misbehaviour of functions, on demand."""
import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VARIANT = json.load(open("variant.json"))
INSTANCE = os.urandom(8).hex()
stuck = threading.Event()

if VARIANT.get("crash"):
    sys.stderr.write("cannot go on\n")
    sys.exit(3)
if VARIANT.get("crash_while"):
    # As long as the file is there.
    if os.path.exists(VARIANT["crash_while"]):
        sys.stderr.write("not yet\n")
        sys.exit(4)
if VARIANT.get("mute"):
    time.sleep(3600)
time.sleep(VARIANT.get("slow", 0))


def line(session, kind, data):
    return (json.dumps({"event": "session", "session_id": session, "data": {"type": kind, "data": data}}) + "\n\n").encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if stuck.is_set():
            time.sleep(3600)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = json.loads(body)
        session, data = message["session_id"], message["data"]
        what = data.get("do", "echo")
        if what == "die":
            os._exit(7)
        if what == "stick":
            stuck.set()
        if what == "refuse":
            self.send_response(int(data["status"]))
            self.send_header("X-Function", "yes")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"nope")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if what in ("echo", "stick"):
            self.chunk(line(session, "stream", {"instance": INSTANCE, "query": self.path, "bytes": len(body), "echo": data.get("text", "")}))
        elif what == "environ":
            self.chunk(line(session, "stream", dict(os.environ)))
        elif what == "drip":
            for number in range(int(data["count"])):
                self.chunk(line(session, "stream", {"number": number}))
                time.sleep(float(data.get("pause", 0.05)))
        elif what == "hold":
            # Until the caller leaves, which is told in a file.
            try:
                while True:
                    self.chunk(line(session, "stream", {"pid": os.getpid()}))
                    time.sleep(0.05)
            except OSError:
                open(data["file"], "w").write("left")
                return
        elif what == "flood":
            for _ in range(int(data["count"])):
                self.chunk(line(session, "stream", {"x": "x" * 65536}))
        elif what == "half":
            self.chunk(line(session, "stream", {"number": 0}))
            os._exit(9)
        elif what == "eat":
            held = [b"x" * (1 << 20) for _ in range(int(data["megabytes"]))]
            self.chunk(line(session, "stream", {"held": len(held)}))
        elif what == "connect":
            try:
                socket.create_connection((data["host"], int(data["port"])), 3).close()
                self.chunk(line(session, "stream", {"connected": True}))
            except OSError as error:
                self.chunk(line(session, "stream", {"connected": False, "error": str(error)}))
        elif what == "python":
            names = {}
            try:
                exec(data["code"], names)
                self.chunk(line(session, "stream", {"result": names["result"]}))
            except Exception as error:
                self.chunk(line(session, "stream", {"error": repr(error)}))
        elif what == "shout":
            for number in range(int(data["count"])):
                print("line", number, file=sys.stderr)
            sys.stderr.flush()
        self.chunk(line(session, "end", None))
        self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


Server((os.environ["SERVERLESS_HOST"], int(os.environ["SERVERLESS_PORT"])), Handler).serve_forever()
