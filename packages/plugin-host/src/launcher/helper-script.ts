import { SHEPHERD_SCRIPT } from './shepherd-script.ts';

/**
 * The helper process, in Python because every machine that runs plugins has it, and because ten megabytes are a fifth of
 * what a second Node takes. It reads one JSON object a line on stdin and answers likewise on stdout:
 *
 *   ← {"ready":true}
 *   → {"address":"/x/socket"}   what stands in the arguments of a process can be read by all
 *   → {"id":1,"token":"…","command":"/x/python","args":["-m","main"],"cwd":"/x","env":{}}
 *   ← {"id":1,"pid":77}  or  {"id":1,"errno":2,"error":"No such file or directory"}
 *   ← {"ended":1,"code":0}  or  {"ended":1,"signal":9}
 *   → {"ping":true}   when a launch takes long
 *   ← {"pong":true}
 *   ← {"unread":1,"bytes":0}   when the daemon has closed its end of stdin: so much of it the process never read
 *
 * A request with a `cage` (see cage.ts) is served by a fork of the helper, its shepherd, which answers by itself:
 *
 *   ← {"id":1,"pid":77,"keepers":[75,76]}  and at the end perhaps  {"ended":1,"signal":9,"limit":"memory"}
 *
 * What a template is asked for and answers stands in template-script.ts.
 *
 * The three pipes of a process are connections to the daemon's socket, made by the helper, introduced by a header of fixed
 * length and inherited by the process as its stdin, stdout and stderr. The end of stdin means that the daemon is gone: all
 * process groups are killed.
 */
export const HEADER_BYTES = 48;

export const HELPER_START = `
import errno, gc, json, os, select, signal, socket, stat, sys, time
# Descriptors that the daemon was started with are no business of plugins.
os.closerange(3, 65536)
CONTROL_IN, CONTROL_OUT, facts = 0, 1, {}


def introduced():
    """The daemon knows that it is ready, and does not let it stand still any more."""
`;

/** What follows upon HELPER_START. It ends when the daemon is gone, or in a child that is to be a plugin, with what was asked for. */
export const HELPER_BODY = String.raw`
running = {}
shepherds = {}
# Our end of what processes read, and by its descriptor what is left over by those that have ended.
inputs = {}
leftovers = {}
# By the launch that became a template: where its shepherd takes orders, and what has been asked of it.
folds, borne = {}, {}
LEAVE_SECONDS = 12


class Become(BaseException):
    """Leads a child that goes on without exec out of everything that was its parent's."""


def answer(**fields):
    data = json.dumps(fields).encode() + b"\n"
    try:
        while data:
            data = data[os.write(CONTROL_OUT, data):]
    except BrokenPipeError:
        pass  # the daemon is gone, and so are we soon


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass


def connect(request, channel):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address)
    connection.sendall(f"{request['token']}{channel}{request['id']:015d}".encode())
    return connection


class Leftover:
    """What a process that has ended did not read: everything up to the end of what the daemon writes."""

    def __init__(self, identifier, connection):
        self.identifier, self.connection, self.total = identifier, connection, 0
        connection.setblocking(False)

    def read(self):
        """Whether all of it was seen, and told."""
        try:
            while data := self.connection.recv(65536):
                self.total += len(data)
            answer(unread=self.identifier, bytes=self.total)
        except BlockingIOError:
            return False
        except OSError:
            answer(unread=self.identifier)
        self.connection.close()
        return True


${SHEPHERD_SCRIPT}
def launch_caged(request):
    load_libc()
    helper = os.getpid()
    ours, theirs = packets() if "template" in request.get("fork", {}) else (None, None)
    # Until the shepherd has handlers of its own, a signal for it would run ours.
    signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            try:
                for one in [ours, *folds.values()]:
                    if one is not None:
                        one.close()
                shepherd(request, helper, theirs)
                os._exit(0)
            except Become:
                raise
            except BaseException:
                os._exit(1)
        shepherds[pid] = request["id"]
        if ours is not None:
            folds[request["id"]], borne[request["id"]] = ours, []
            ours = None
    except OSError as error:
        answer(id=request["id"], errno=errno.errorcode.get(error.errno, str(error.errno)), error=os.strerror(error.errno or 0))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, DEFAULT_SIGNALS)
        for one in (ours, theirs):
            if one is not None:
                one.close()


def launch_from(request):
    """An instance of a template: its shepherd sees to it."""
    try:
        folds[request["from"]].send(json.dumps(request).encode(), socket.MSG_DONTWAIT)
        borne[request["from"]].append(request["id"])
    except (KeyError, OSError):
        answer(id=request["id"], errno="ESRCH", error="its template has ended")


def launch(request):
    if "ping" in request:
        return answer(pong=True)
    if "from" in request:
        return launch_from(request)
    if "cage" in request:
        return launch_caged(request)
    identifier = request["id"]
    connections = []
    try:
        os.chdir(request["cwd"])
        connections = [connect(request, channel) for channel in range(3)]
        actions = [(os.POSIX_SPAWN_DUP2, one.fileno(), fd) for fd, one in enumerate(connections)]
        pid = os.posix_spawn(
            request["command"],
            [request["command"], *request["args"]],
            request["env"],
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
        )
        running[pid] = identifier
        inputs[pid] = connections.pop(0)
        answer(id=identifier, pid=pid)
    except OSError as error:
        answer(id=identifier, errno=errno.errorcode.get(error.errno, str(error.errno)), error=os.strerror(error.errno or 0))
    except Exception as error:
        answer(id=identifier, errno="EINVAL", error=str(error))
    finally:
        for one in connections:
            one.close()
        os.chdir("/")


def reap():
    while running or shepherds:
        try:
            # Looked at first and reaped later: until then nobody else can get the number of the group.
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None:
            return
        pid = found.si_pid
        if pid in shepherds:
            os.waitpid(pid, 0)
            identifier = shepherds.pop(pid)
            if identifier in folds:
                folds.pop(identifier).close()
            children = borne.pop(identifier, [])
            if found.si_code != os.CLD_EXITED or found.si_status != 0:
                for one in (identifier, *children):
                    answer(ended=one, signal=int(signal.SIGKILL))
                    answer(unread=one)
                answer(gone=identifier)
            continue
        kill_group(pid)
        os.waitpid(pid, 0)
        if pid in running:
            identifier = running.pop(pid)
            if found.si_code == os.CLD_EXITED:
                answer(ended=identifier, code=found.si_status)
            else:
                answer(ended=identifier, signal=found.si_status)
            leftover = Leftover(identifier, inputs.pop(pid))
            leftovers[leftover.connection.fileno()] = leftover


def leave(*_):
    for pid in running:
        kill_group(pid)
    for pid in shepherds:
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:
            pass
    until = time.monotonic() + LEAVE_SECONDS
    while shepherds and time.monotonic() < until:
        reap()
        time.sleep(0.002)
    # The daemon may have come as far as the first of them.
    for remove, path in ((os.unlink, address), (os.rmdir, os.path.dirname(address))):
        try:
            remove(path)
        except OSError:
            pass
    os._exit(0)


waker, wakee = os.pipe()
os.set_blocking(waker, False)
os.set_blocking(wakee, False)
signal.set_wakeup_fd(wakee)
signal.signal(signal.SIGCHLD, lambda *_: None)
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, leave)
os.chdir("/")
gc.disable()
answer(ready=True, **facts)
introduction = b""
while not introduction.endswith(b"\n"):
    # A launch may follow upon it at once.
    data = os.read(CONTROL_IN, 1)
    if not data:
        os._exit(1)
    introduction += data
address = json.loads(introduction)["address"]
introduced()
chosen = None
try:
    pending = b""
    while True:
        ready, _, _ = select.select([CONTROL_IN, waker, *leftovers], [], [])
        for descriptor in ready:
            if descriptor in leftovers and leftovers[descriptor].read():
                del leftovers[descriptor]
        if waker in ready:
            try:
                os.read(waker, 4096)
            except BlockingIOError:
                pass
            reap()
        if CONTROL_IN in ready:
            data = os.read(CONTROL_IN, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                launch(json.loads(line))
            reap()
except Become as child:
    chosen = child.args[0]
finally:
    if chosen is None:
        leave()
`;

export const HELPER_SCRIPT = `${HELPER_START}${HELPER_BODY}`;
