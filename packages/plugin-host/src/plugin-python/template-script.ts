/**
 * Inside a plugin's process: when everything is imported and the plugin is about to serve, the process becomes a template, if the import
 * took long enough to be worth it and nothing stands in the way: its plugin goes on in a child, and so does each further instance. They
 * share its memory, and none of them imports anything again. What a shepherd has to do with it stands in launcher/template-script.ts.
 */
export const TEMPLATE_SCRIPT = `
HARMLESS_FILES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def why_no_template(control):
    """What a child would not have, or would have in common with the others."""
    import gevent
    threads = len(os.listdir("/proc/self/task")) - 1
    if threads > 0:
        return f"importing it starts {threads} threads"
    # Not their number: a fork of Python 3.13 under gevent counts its main thread twice.
    threading = sys.modules["threading"]
    others = {*threading.enumerate()} - {threading.main_thread()}
    if others or any(issubclass(type(one), gevent.Greenlet) and not one.dead for one in gc.get_objects()):
        return "importing it starts work that goes on"
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        if children.read().strip():
            return "importing it starts processes"
    if any(signal.getitimer(one)[0] for one in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)):
        return "importing it sets a timer"
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue  # the one that is looked through
        if int(name) in (0, 1, 2, control.fileno()) or int(name) in kept_descriptors:
            continue
        if target in HARMLESS_FILES or target.startswith("anon_inode:[event"):
            continue
        return f"importing it opens {target[:100]}"
    return None


def receive(control):
    """An order and the descriptors that came with it."""
    data, ancillary, _, _ = control.recvmsg(4096, socket.CMSG_SPACE(16))
    found = []
    for _, kind, value in ancillary:
        if kind == socket.SCM_RIGHTS:
            found += [int.from_bytes(value[at:at + 4], sys.byteorder) for at in range(0, len(value) - len(value) % 4, 4)]
    return (json.loads(data) if data else None), found


def become_instance(control, children, descriptors, again):
    import gevent
    control.close()
    for one in children:
        os.close(one)
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    hello, *streams = descriptors
    for target, one in enumerate(streams):
        os.dup2(one, target)
        os.close(one)
    hello = socket.socket(fileno=hello)
    hello.send(json.dumps({"inner": os.getpid()}).encode())
    if hello.recv(16) != b"go":
        os._exit(1)
    hello.close()
    gevent.reinit()
    # Python's own random numbers are begun anew by itself.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    if again:
        say_of_sdk()


def report_ended(control, children):
    for descriptor, pid in list(children.items()):
        if pid in reported or not select.select([descriptor], [], [], 0)[0]:
            continue
        # Reaped when it is told to: until then nobody else gets the number.
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            continue
        reported.add(pid)
        key = "code" if found.si_code == os.CLD_EXITED else "signal"
        control.send(json.dumps({"ended": pid, key: found.si_status}).encode())


reported = set()


def fork_soon():
    """What an instance has left may still be ending, and count. None if there is no room: whoever waits sees it from the end of its socket."""
    for _ in range(50):
        try:
            return os.fork()
        except OSError:
            time.sleep(0.02)
    return None


def serve_as_template(control):
    """Returns in each child, and only there."""
    control.send(json.dumps({"template": True}).encode())
    children, again = {}, False
    while True:
        watched = [one for one, pid in children.items() if pid not in reported]
        ready, _, _ = select.select([control, *watched], [], [])
        report_ended(control, children)
        if control not in ready:
            continue
        order, descriptors = receive(control)
        if order is None:
            os._exit(0)
        reaped = order.get("reap")
        for descriptor, pid in list(children.items()):
            if pid == reaped:
                os.waitpid(pid, 0)
                os.close(descriptor)
                del children[descriptor]
                reported.discard(pid)
        if "fork" not in order:
            continue
        pid = fork_soon()
        if pid == 0:
            return become_instance(control, children, descriptors, again)
        if pid is not None:
            children[os.pidfd_open(pid)] = pid
        for one in descriptors:
            os.close(one)
        if not again:
            # Its pipes are those of the first one.
            nowhere = os.open("/dev/null", os.O_RDWR)
            for target in (0, 1, 2):
                os.dup2(nowhere, target)
            os.close(nowhere)
        again = True


def stay_as_template(control, after_ms):
    spent = time.process_time() * 1000
    # An empty reason: it is not worth it.
    reason = why_no_template(control) if spent >= after_ms else ""
    if reason is not None:
        control.send(json.dumps({"declined": reason}).encode())
        receive(control)
        return control.close()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    gc.collect()
    gc.freeze()
    try:
        serve_as_template(control)
    except OSError:
        import traceback; traceback.print_exc()
        # Its shepherd has gone.
        os._exit(1)


def hold_before_serving(control, after_ms):
    from dify_plugin.core.server.io_server import IOServer
    serve = IOServer.run

    def run(self, *args, **kwargs):
        IOServer.run = serve
        stay_as_template(control, after_ms)
        return serve(self, *args, **kwargs)

    IOServer.run = run
`;
