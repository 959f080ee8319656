# In front of another tool: what its process does when it has become a template and is to fork an instance. Which of these a file says that the
# plugin itself cannot write.
import json as _json
import os as _os
import signal as _signal
import socket as _socket
import stat as _stat
import sys as _sys
import time as _time

_fork, _close, _template = _os.fork, _os.close, _os.getpid()


def _packet_sockets():
    """By what they are, whatever number they have; duplicates."""
    found = {}
    for name in map(int, _os.listdir("/proc/self/fd")):
        try:
            copy = _os.dup(name)
        except OSError:
            continue  # the one that is looked through
        if not _stat.S_ISSOCK(_os.fstat(copy).st_mode):
            _close(copy)
            continue
        one = _socket._socket.socket(fileno=copy)
        if one.type == _socket.SOCK_SEQPACKET:
            found[_os.fstat(copy).st_ino] = one
        else:
            one.close()
    return found


# What its shepherd hears it through. What an instance is heard through comes with the order to fork it.
_control = set(_packet_sockets())


def _say(one, *messages):
    for message in messages:
        one.send(message)


def _harm(mode):
    sockets = _packet_sockets()
    control = next(one for number, one in sockets.items() if number in _control)
    hello = next(one for number, one in sockets.items() if number not in _control)
    if mode == "does not fork":
        _time.sleep(3600)
    elif mode == "refuses":
        return None
    elif mode == "dies":
        _os._exit(3)
    elif mode == "forks and dies":
        if _fork() > 0:
            _os._exit(3)
        return 0
    elif mode == "stops itself":
        _os.kill(_os.getpid(), _signal.SIGSTOP)
    elif mode == "forks a thousand":
        for _ in range(1000):
            try:
                if _fork() == 0:
                    _signal.pause()
            except OSError:
                break
    elif mode == "talks nonsense":
        ended = [_json.dumps({"ended": number}).encode() for number in (_os.getpid(), 1, -1, 10**30)]
        _say(control, b"\xff\xfe", b"[" * 4000, b'{"a":' * 800, b"1" * 4000, b"null", b'{"declined":{}}', b'{"template":true}', b'{"ended":true}', *ended)
    elif mode == "talks without an end":
        if _fork() == 0:
            while True:
                control.send(b'{"ended":7}')
    elif mode == "poses as its instance":
        hello.send(_json.dumps({"inner": _os.getpid()}).encode())
    elif mode == "introduces nobody":
        hello.send(b"[" * 200)
    elif mode == "tells ends that were not":
        pid = _fork()
        if pid > 0:
            control.send(_json.dumps({"ended": pid, "code": 0}).encode())
        return pid
    elif mode == "keeps descriptors":
        for number in range(3, 30):
            try:
                _os.dup(number)
            except OSError:
                pass
    elif mode == "forgets its children":
        _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)
    return _fork()


def _hostile_fork():
    if _os.getpid() != _template:
        return _fork()
    try:
        with open("mode.txt") as file:
            mode = file.read()
    except OSError:
        return _fork()
    open("did it", "w").close()
    return _harm(mode)


# What a template forks with, wherever it is kept.
_frame = _sys._getframe()
while _frame is not None and "fork_soon" not in _frame.f_globals:
    _frame = _frame.f_back
if _frame is not None:
    _frame.f_globals["fork_soon"] = _hostile_fork
