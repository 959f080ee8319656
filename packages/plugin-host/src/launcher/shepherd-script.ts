import { REMAINS_SCRIPT } from './remains-script.ts';
import { TEMPLATE_SCRIPT } from './template-script.ts';
import { VIEW_SCRIPT } from './view-script.ts';

/**
 * The part of the helper process that starts caged processes. Each has a shepherd, a fork of the helper that shares its
 * memory: it applies the cage between fork and exec, adopts whatever the process leaves behind, and ends all of it with the
 * process, when the helper goes, or when it is told to. In namespaces of its own the process has an init beside it, a
 * second fork that only reaps: the SDK must not be a child of process 1, and here its parent is outside.
 */
export const SHEPHERD_SCRIPT = `${VIEW_SCRIPT}${REMAINS_SCRIPT}${TEMPLATE_SCRIPT}
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 38, 47, 4
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
LAST_CAPABILITY, CAPABILITY_VERSION_3 = 63, 0x20080522
# The daemon closes its end as soon as it knows that the process has ended.
LAST_READ_SECONDS = 5
DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
libc = None


def load_libc():
    global ctypes, resource, libc
    if libc is None:
        import ctypes, resource
        libc = ctypes.CDLL(None, use_errno=True)
        gc.collect()
        # The heap is shared with every shepherd: nothing in it should be written to.
        gc.freeze()


def kernel(step, function, *arguments):
    values = [one.encode("utf-8", "surrogateescape") if isinstance(one, str) else ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    if getattr(libc, function)(*values) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")


def prctl(option, value):
    kernel(f"prctl {option}", "prctl", option, value, 0, 0, 0)


def write_file(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def enter_namespaces(kind):
    """Namespaces for the children that follow; the pid of their init, which is the first of them."""
    flags = CLONE_NEWPID | CLONE_NEWIPC
    user, group = os.geteuid(), os.getegid()
    if kind == "user":
        flags |= CLONE_NEWUSER
    kernel("namespaces", "unshare", flags)
    if kind == "user":
        write_file("/proc/self/setgroups", "deny")
        write_file("/proc/self/uid_map", f"{user} {user} 1")
        write_file("/proc/self/gid_map", f"{group} {group} 1")
    init = os.fork()
    if init == 0:
        try:
            run_init()
        finally:
            os._exit(1)
    return init


def run_init():
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_DUMPABLE, 0)
    os.closerange(0, 256)
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            pass
        signal.sigwait([signal.SIGCHLD])


def drop_privileges(user):
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # the last one, or no right to: then there is nothing to lose
    try:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    except OSError:
        pass  # older than ambient capabilities
    if user is not None:
        os.setgroups([])
        os.setresgid(user["gid"], user["gid"], user["gid"])
        os.setresuid(user["uid"], user["uid"], user["uid"])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # An exec takes those away that a user namespace has given; a child that goes on without one would keep them.
    kernel("giving up capabilities", "capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())


def set_limits(limits):
    for name, value in limits.items():
        kind = getattr(resource, "RLIMIT_" + name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def become(request, connections):
    """Turns this process, a child of the shepherd, into what was asked for. @raises OSError"""
    cage = request["cage"]
    signal.set_wakeup_fd(-1)
    for one in DEFAULT_SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    os.setsid()
    os.umask(0o022)
    for directory in cage.get("groups", []):
        write_file(directory + "/cgroup.procs", "0")
    if "namespaces" in cage:
        enter_view(cage.get("mounts", []))
    if cage.get("nice"):
        os.nice(cage["nice"])
    set_limits(cage.get("limits", {}))
    if "namespaces" in cage or "user" in cage:
        drop_privileges(cage.get("user"))
    if "umask" in cage:
        os.umask(cage["umask"])
    # After the change of user, which forgets it.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(request["cwd"])
    for target, connection in enumerate(connections):
        os.dup2(connection.fileno(), target)
    if "fork" in request:
        raise Become(request)
    os.execve(request["command"], [request["command"], *request["args"]], request["env"])


def start_caged(request, connections, control=None):
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            if control is not None:
                request["fork"]["control"] = control
            become(request, connections)
        except Become:
            os.close(writing)
            raise
        except OSError as error:
            os.write(writing, json.dumps([error.errno or errno.EINVAL, str(error.strerror or error)]).encode())
        except BaseException as error:
            os.write(writing, json.dumps([errno.EINVAL, repr(error)]).encode())
        os._exit(127)
    os.close(writing)
    failure = b""
    while data := os.read(reading, 4096):
        failure += data
    os.close(reading)
    if failure:
        os.waitpid(process, 0)
        raise OSError(*json.loads(failure))
    return process


def watch(process, memory, stopping, waker):
    """Waits for the end of the process without taking its number away."""
    poll = select.poll()
    poll.register(waker, select.POLLIN)
    if memory is not None:
        poll.register(memory.descriptor, memory.events)
    # Looks left: the news that memory is used up comes before the kernel has chosen whom to end.
    suspicious = 0
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if found is not None and found.si_pid == process:
            return found
        if found is not None:
            os.waitpid(found.si_pid, 0)
            continue
        if stopping or (suspicious > 0 and memory.exceeded()):
            kill_group(process)
        suspicious = max(0, suspicious - 1)
        for descriptor, _ in poll.poll(50 if suspicious > 0 else None):
            if descriptor == waker:
                try:
                    os.read(waker, 4096)
                except BlockingIOError:
                    pass
            else:
                memory.acknowledge()
                suspicious = 40


def shepherd(request, helper, orders=None):
    cage, identifier, init = request["cage"], request["id"], None
    stopping = []
    waker, wakee = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(wakee, False)
    signal.set_wakeup_fd(wakee)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, lambda *_: stopping.append(True))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.dup2(os.open("/dev/null", os.O_RDONLY), CONTROL_IN)
    connections, groups = [], cage.get("groups", [])
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != helper:
            os._exit(0)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        connections = [connect(request, channel) for channel in range(3)]
        memory = MemoryGroup(cage["memoryGroup"]) if "memoryGroup" in cage else None
        if "namespaces" in cage:
            init = enter_namespaces(cage["namespaces"])
        control, theirs = (None, None) if orders is None else packets()
        process = start_caged(request, connections, theirs)
        if theirs is not None:
            theirs.close()
        prctl(PR_SET_DUMPABLE, 0)
    except Exception as error:
        end_everything(init, groups)
        number = getattr(error, "errno", None) or errno.EINVAL
        return answer(id=identifier, errno=errno.errorcode.get(number, str(number)), error=str(getattr(error, "strerror", None) or error))
    answer(id=identifier, pid=process, keepers=[one for one in (os.getpid(), init) if one is not None])
    if orders is not None:
        fold = Fold(request, control, orders, process, connections, memory)
        fold.watch(stopping, waker, init)
        if fold.is_template:
            return fold.close(init)
        control.close()
    for one in connections[1:]:
        one.close()
    found = watch(process, memory, stopping, waker)
    kill_group(process)
    limit = {"limit": "memory"} if memory is not None and memory.exceeded() else {}
    end_everything(init, groups)
    if found is None or found.si_code != os.CLD_EXITED:
        answer(ended=identifier, signal=int(signal.SIGKILL if found is None else found.si_status), **limit)
    else:
        answer(ended=identifier, code=found.si_status, **limit)
    leftover, until = Leftover(identifier, connections[0]), time.monotonic() + LAST_READ_SECONDS
    while not leftover.read() and time.monotonic() < until:
        select.select([leftover.connection], [], [], LAST_READ_SECONDS)
`;
