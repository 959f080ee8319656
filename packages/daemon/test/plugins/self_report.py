"""The tool of the example, replaced by one that tells what its process is, or harms it."""

import json
import os
import random
import signal
import site
import subprocess
import sys
import threading
from collections.abc import Generator
from typing import Any

import __main__
from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage


def facts():
    with open("/proc/self/status") as lines:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
    inherited = ("Uid", "Gid", "Groups", "NoNewPrivs", "CapEff", "CapBnd", "CapAmb", "SigBlk", "SigIgn", "SigCgt", "Umask")
    return {
        "argv": sys.argv,
        "orig_argv": sys.orig_argv[-1:],
        "path": sys.path,
        "executable": sys.executable,
        "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, site.PREFIXES],
        "flags": str(sys.flags),
        "interpreter_flags": subprocess._args_from_interpreter_flags(),
        "main": [__main__.__spec__.name, __main__.__file__, sorted(vars(__main__))],
        "cwd": os.getcwd(),
        "environ": {k: v for k, v in os.environ.items() if k not in ("HOME", "TMPDIR", "XDG_CACHE_HOME")},
        "status": {name: status.get(name) for name in inherited},
        "descriptors": sorted(os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
        "group": os.getpgid(0) == os.getpid() == os.getsid(0),
        "orphan": os.getppid() == 1,
        "sdk": [sys.modules["dify_plugin"].__path__, sys.modules["httpx"].__path__, sys.modules["gevent"].__path__],
        "streams": [sys.stdin.encoding, sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, sys.stdout.line_buffering],
        "child": subprocess.run([sys.executable, "-c", "import dify_plugin.config, sys; print(sys.prefix)"], capture_output=True, text=True, check=False).stdout,
        "thread": threading.current_thread() is threading.main_thread(),
    }


class ReportTool(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        what = str(tool_parameters["text"])
        if what == "facts":
            yield self.create_text_message(json.dumps(facts()))
        elif what == "pid":
            with open("/proc/self/stat") as stat:
                yield self.create_text_message(stat.read().split()[0])
        elif what == "writable":
            libraries = sorted({os.path.dirname(sys.modules[name].__file__) for name in ("dify_plugin", "certifi", "gevent")})
            yield self.create_text_message(json.dumps([path for path in libraries if os.access(path, os.W_OK)]))
        elif what == "random":
            yield self.create_text_message(str(random.random()))
        elif what == "bomb":
            children = 0
            try:
                while children < 5000:
                    if os.fork() == 0:
                        signal.pause()
                    children += 1
            except OSError:
                pass
            yield self.create_text_message("no more")
        elif what == "mask":
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            yield self.create_text_message("blocked")
        elif what == "orphan":
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.pause()
                os._exit(0)
            os.wait()
            yield self.create_text_message("left")
        elif what == "deaf":
            for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(one, signal.SIG_IGN)
            yield self.create_text_message("deaf")
        elif what == "hog":
            kept = []
            # Half as much again as it may have: where the kernel does not stop it, somebody looks now and then.
            while len(kept) < 24:
                kept.append(b"x" * (64 << 20))
            while True:
                threading.Event().wait(1)
        elif what == "mute":
            os.close(1)
            while True:
                threading.Event().wait(1)
        elif what == "busy":
            for _ in range(8):
                if os.fork() == 0:
                    while True:
                        pass
            yield self.create_text_message("busy")
        elif what == "stop":
            os.kill(0, signal.SIGSTOP)
            yield self.create_text_message("goes on")
        elif what == "spin":
            yield self.create_text_message("begun")
            while True:
                pass
        elif what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
