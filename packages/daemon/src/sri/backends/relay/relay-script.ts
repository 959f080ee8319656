/**
 * What stands between an instance without a network and this server: it starts the plugin, takes calls from a Unix socket to the
 * plugin's port, and what the plugin sends to a second port to another Unix socket, behind which its way out is decided. Python, because
 * it runs where the plugin does, and only Python is there; the standard library alone, in one thread, with bounded buffers.
 *
 * Arguments: JSON {"calls": path, "port": number, "way_out": path, "way_out_port": number, "isolate": bool}, then the command.
 */
export const RELAY_SCRIPT = `
import os, selectors, signal, socket, subprocess, sys, json

PIECE = 65536
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def leave_network():
    """A network of its own, with nothing but the loopback; in a user namespace of its own, because everybody may make one."""
    import ctypes, fcntl, struct
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        sys.exit(f"no network of its own can be made for this function ({os.strerror(number)}): allow user namespaces, or set SRI_EGRESS=all")
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{user} {user} 1")
    write("/proc/self/gid_map", f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


class Side:
    """One of the two connections of a pair: what was read from the other one and is not written yet."""

    def __init__(self, connection):
        self.connection = connection
        self.waiting = b""
        self.reading = True
        self.ending = False
        self.ended = False
        self.connecting = False
        self.other = None
        self.mask = 0

    def watch(self):
        mask = 0
        # Nothing is read that the other side has no room for.
        if self.reading and not self.connecting and len(self.other.waiting) < PIECE:
            mask |= selectors.EVENT_READ
        if self.waiting or self.connecting or (self.ending and not self.ended):
            mask |= selectors.EVENT_WRITE
        if mask == self.mask:
            return
        if self.mask == 0:
            selector.register(self.connection, mask, self)
        elif mask == 0:
            selector.unregister(self.connection)
        else:
            selector.modify(self.connection, mask, self)
        self.mask = mask

    def ready(self, mask):
        if mask & selectors.EVENT_WRITE:
            if self.connecting:
                error = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error))
                self.connecting = False
            if self.waiting:
                self.waiting = self.waiting[self.connection.send(self.waiting):]
            if self.ending and not self.ended and not self.waiting:
                self.ended = True
                self.connection.shutdown(socket.SHUT_WR)
        if mask & selectors.EVENT_READ:
            data = self.connection.recv(PIECE)
            if data:
                self.other.waiting += data
            else:
                self.reading = False
                self.other.ending = True


def close(side):
    for one in (side, side.other):
        if one.mask:
            selector.unregister(one.connection)
            one.mask = 0
        one.connection.close()


def pair(incoming, family, address):
    outgoing = socket.socket(family, socket.SOCK_STREAM)
    for one in (incoming, outgoing):
        one.setblocking(False)
        if one.family == socket.AF_INET:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    first, second = Side(incoming), Side(outgoing)
    first.other, second.other = second, first
    try:
        outgoing.connect(address)
    except BlockingIOError:
        second.connecting = True
    except OSError:
        incoming.close()
        outgoing.close()
        return
    first.watch()
    second.watch()


def listen(family, address):
    server = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(address)
    server.listen(1024)
    server.setblocking(False)
    return server


def child_ended(child):
    code = child.poll()
    if code is None:
        return
    # As the plugin ended, so does this; signals do not end the first process of a container.
    if code < 0:
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        if os.getpid() != 1:
            os.kill(os.getpid(), -code)
        os._exit(128 - code)
    os._exit(code)


options = json.loads(sys.argv[1])
if options["isolate"]:
    leave_network()
selector = selectors.DefaultSelector()
# A call that comes before the plugin listens is refused by the plugin's port, not by this one.
servers = {}
for family, address, to in (
    (socket.AF_UNIX, options["calls"], (socket.AF_INET, ("127.0.0.1", options["port"]))),
    (socket.AF_INET, ("127.0.0.1", options["way_out_port"]), (socket.AF_UNIX, options["way_out"])),
):
    server = listen(family, address)
    servers[server] = to
    selector.register(server, selectors.EVENT_READ, None)
wake_read, wake_write = os.pipe()
os.set_blocking(wake_read, False)
os.set_blocking(wake_write, False)
signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
signal.signal(signal.SIGCHLD, lambda *_: None)
child = subprocess.Popen(sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
selector.register(wake_read, selectors.EVENT_READ, None)
child_ended(child)
while True:
    for key, mask in selector.select():
        if key.fileobj == wake_read:
            try:
                os.read(wake_read, 512)
            except BlockingIOError:
                pass
            child_ended(child)
        elif key.fileobj in servers:
            try:
                incoming, _ = key.fileobj.accept()
            except OSError:
                continue
            pair(incoming, *servers[key.fileobj])
        else:
            side = key.data
            if side.mask == 0:
                continue
            try:
                side.ready(mask)
                if side.ended and side.other.ended:
                    close(side)
                else:
                    side.watch()
                    side.other.watch()
            except BlockingIOError:
                pass
            except OSError:
                close(side)
`;
