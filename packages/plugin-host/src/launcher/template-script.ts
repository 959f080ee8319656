/**
 * The part of a shepherd that keeps a template: a plugin's process that has imported its modules and forks instances of the plugin, all in
 * the cage that was set up for it. It tells the template what to fork over a socket of sequenced packets, gives each instance its pipes and
 * its control groups before any of it runs, and reports its end like that of any other process.
 *
 *   → {"id":2,"token":"…","from":1,"cage":{"groups":[]}}   an instance, from what launch 1 has become
 *   ← {"template":1,"pid":78}  launch 1 has: its plugin goes on as 78   or  {"template":1,"declined":"…"}  why it has not
 *   ← {"gone":1}               nothing is left of it and its cage
 *
 * The template runs a plugin's code and is not believed anything but how its children have ended: who they are the kernel says (the
 * credentials of what they send), when they end as well (a descriptor of the process).
 */
export const TEMPLATE_SCRIPT = `
BIRTH_SECONDS, REPORT_SECONDS, GROUP_SECONDS = 10, 1, 2
SO_PASSCRED, CREDENTIALS, CREDENTIALS_BYTES = 16, 2, 12
LIMIT_FILES = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max", "cpu.cfs_period_us", "cpu.cfs_quota_us")


def packets():
    # The module's own function makes sockets of the class that the SDK has put in their place, which do not block.
    return [socket.socket(fileno=one.detach()) for one in socket._socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]


def groups_beside(groups):
    """Groups with the same limits, for the template itself: what an instance uses up is not to be the end of it."""
    made = []
    for directory in groups:
        beside = directory + "-template"
        try:
            os.mkdir(beside)
            made.append(beside)
        except OSError:
            return []
        for name in LIMIT_FILES:
            try:
                with open(f"{directory}/{name}") as value:
                    write_file(f"{beside}/{name}", value.read())
            except OSError:
                pass  # another controller, or a limit that is not set
    return made


class Instance:
    """An instance of the plugin, from when it is asked for to when its end was told."""

    def __init__(self, identifier, connections, groups, memory):
        self.identifier, self.connections, self.groups, self.memory = identifier, connections, groups, memory
        self.hello, self.until = None, time.monotonic() + BIRTH_SECONDS
        self.pid, self.inner, self.descriptor, self.ended_at, self.suspicious = None, None, None, None, 0


class Fold:
    def __init__(self, request, control, orders, process, connections, memory):
        self.request, self.control, self.orders, self.process = request, control, orders, process
        self.first = Instance(request["id"], connections, request["cage"].get("groups", []), memory)
        self.is_template, self.instances, self.leftovers, self.statuses, self.own_groups = False, [], [], {}, []
        # Ends that it may still tell: one of each that it was told to fork.
        self.untold = 0

    def send(self, order, descriptors=()):
        """Whether it could be told: one that does not listen hinders nobody."""
        try:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(one.to_bytes(4, sys.byteorder) for one in descriptors))]
            self.control.sendmsg([json.dumps(order).encode()], ancillary if descriptors else [], socket.MSG_DONTWAIT)
            return True
        except OSError:
            return False

    def hear(self):
        """False when nothing more will come."""
        try:
            data = self.control.recv(4096, socket.MSG_DONTWAIT)
            message = json.loads(data) if data else None
        except BlockingIOError:
            return True
        except (OSError, ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            return False
        if "declined" in message and not self.is_template:
            answer(template=self.request["id"], declined=str(message["declined"])[:300])
            self.send({"heard": True})
            return False
        if message.get("template") is True and not self.is_template:
            self.is_template = True
            self.bear(self.first, [])
            return True
        return self.note_ended(message)

    def note_ended(self, message):
        """False for whatever else it says: nobody listens to that for ever."""
        if not isinstance(message, dict) or type(message.get("ended")) is not int or self.untold == 0:
            return False
        self.untold -= 1
        self.statuses[message["ended"]] = message
        return True

    def order(self):
        try:
            request = json.loads(self.orders.recv(1 << 20, socket.MSG_DONTWAIT))
        except (OSError, ValueError):
            return
        connections, cage = [], request.get("cage", {})
        try:
            if not self.is_template:
                raise OSError(errno.ESRCH, "the plugin has not become a template")
            for channel in range(3):
                connections.append(connect(request, channel))
            memory = MemoryGroup(cage["memoryGroup"]) if "memoryGroup" in cage else None
            instance = Instance(request["id"], connections, cage.get("groups", []), memory)
            self.bear(instance, [one.fileno() for one in connections])
        except OSError as error:
            for one in connections:
                one.close()
            self.refuse(request["id"], error)

    def refuse(self, identifier, error):
        number = error.errno or errno.EINVAL
        answer(id=identifier, errno=errno.errorcode.get(number, str(number)), error=str(error.strerror or error))

    def bear(self, instance, descriptors):
        instance.hello, theirs = packets()
        instance.hello.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        self.instances.append(instance)
        if self.send({"fork": True}, [theirs.fileno(), *descriptors]):
            self.untold += 1
        else:
            self.lost(instance, OSError(errno.EPIPE, "its template does not listen"))
        theirs.close()

    def born(self, instance):
        """It exists, and waits until it may go on."""
        try:
            data, ancillary, _, _ = instance.hello.recvmsg(256, socket.CMSG_SPACE(CREDENTIALS_BYTES), socket.MSG_DONTWAIT)
            pid = next((int.from_bytes(value[:4], sys.byteorder) for _, kind, value in ancillary if kind == CREDENTIALS), 0)
            inner = json.loads(data).get("inner") if data else None
            if pid <= 1 or not isinstance(inner, int) or os.getpgid(pid) != pid or pid == self.process:
                raise OSError(errno.EPROTO, "its template did not fork it")
            instance.descriptor = os.pidfd_open(pid)
            if instance is self.first:
                self.own_groups = groups_beside(instance.groups)
                for directory in self.own_groups:
                    write_file(directory + "/cgroup.procs", str(self.process))
            else:
                for directory in instance.groups:
                    write_file(directory + "/cgroup.procs", str(pid))
        except BlockingIOError:
            return
        except (OSError, ValueError, RecursionError, AttributeError) as error:
            return self.lost(instance, error if isinstance(error, OSError) else OSError(errno.EPROTO, "its template did not fork it"))
        instance.pid, instance.inner = pid, inner
        for one in instance.connections[1:]:
            one.close()
        if instance is self.first:
            answer(template=instance.identifier, pid=pid)
        else:
            answer(id=instance.identifier, pid=pid, keepers=[])
        try:
            instance.hello.send(b"go", socket.MSG_DONTWAIT)
        except OSError:
            pass  # it has ended, which is seen
        instance.hello.close()
        instance.hello = None

    def lost(self, instance, error):
        """One that was not born."""
        instance.hello.close()
        instance.hello = None
        if instance.descriptor is not None:
            os.close(instance.descriptor)
            instance.descriptor = None
        if instance is self.first:
            # Its plugin was to go on there.
            return kill_group(self.process)
        self.instances.remove(instance)
        for one in instance.connections:
            one.close()
        self.refuse(instance.identifier, error)

    def buried(self, instance):
        status = self.statuses.pop(instance.inner, {})
        self.instances.remove(instance)
        os.close(instance.descriptor)
        limit = {"limit": "memory"} if instance.memory is not None and instance.memory.exceeded() else {}
        if instance.memory is not None:
            os.close(instance.memory.descriptor)
        code, number = status.get("code"), status.get("signal")
        if type(code) is int:
            answer(ended=instance.identifier, code=code & 255, **limit)
        else:
            answer(ended=instance.identifier, signal=number if type(number) is int and 0 < number < 65 else int(signal.SIGKILL), **limit)
        self.leftovers.append((Leftover(instance.identifier, instance.connections[0]), time.monotonic() + LAST_READ_SECONDS))

    def clear(self, instance, init):
        """What an instance has left: at once where it had groups, else with the last one, since nobody knows whose it is."""
        kill_members(instance.pid)
        until = time.monotonic() + GROUP_SECONDS
        while kill_groups(instance.groups) and time.monotonic() < until:
            time.sleep(0.002)
        if not any(one.pid is not None and one.ended_at is None for one in self.instances):
            for pid in descendants(os.getpid()):
                if pid not in (init, self.process):
                    kill(pid)

    def watch(self, stopping, waker, init):
        """@returns what waitid found of the template; None if it is no template, or was to stop"""
        listens = True
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return None
            if found is not None and found.si_pid == self.process:
                return found
            if found is not None:
                os.waitpid(found.si_pid, 0)
                continue
            if stopping:
                return None
            now = time.monotonic()
            for instance in list(self.instances):
                if instance.hello is not None and now > instance.until:
                    self.lost(instance, OSError(errno.ETIMEDOUT, "its template did not fork it in time"))
                elif instance.ended_at is not None and (instance.inner in self.statuses or now > instance.ended_at + REPORT_SECONDS or not listens):
                    self.buried(instance)
                    self.send({"reap": instance.inner})
            measured = [one for one in (self.instances if self.is_template else [self.first]) if one.memory is not None and one.ended_at is None]
            for instance in measured:
                if instance.suspicious > 0:
                    instance.suspicious -= 1
                    if instance.memory.exceeded():
                        kill_members(instance.pid or self.process)
            for one in list(self.leftovers):
                if one[0].read() or now > one[1]:
                    self.leftovers.remove(one)
            poll, handlers = select.poll(), {}
            wanted = [(waker, lambda: quiet_read(waker)), (self.orders, self.order)]
            if listens:
                wanted.append((self.control, None))
            wanted += [(one.memory, lambda one=one: self.alarmed(one)) for one in measured]
            pending = bool(self.leftovers) or any(one.suspicious > 0 for one in measured)
            for instance in self.instances:
                if instance.hello is not None:
                    wanted.append((instance.hello, lambda instance=instance: self.born(instance)))
                elif instance.descriptor is not None and instance.ended_at is None:
                    wanted.append((instance.descriptor, lambda instance=instance: self.ended(instance, init)))
                pending = pending or instance.hello is not None or instance.ended_at is not None
            for one, handler in wanted:
                descriptor = one if isinstance(one, int) else one.descriptor if isinstance(one, MemoryGroup) else one.fileno()
                poll.register(descriptor, one.events if isinstance(one, MemoryGroup) else select.POLLIN)
                handlers[descriptor] = handler
            for descriptor, _ in poll.poll(50 if pending else None):
                handler = handlers[descriptor]
                if handler is not None:
                    handler()
                elif not self.hear():
                    listens = False
                    if not self.is_template:
                        return None

    def ended(self, instance, init):
        instance.ended_at = time.monotonic()
        self.clear(instance, init)

    def alarmed(self, instance):
        instance.memory.acknowledge()
        instance.suspicious = 40

    def close(self, init):
        """The template has ended, or is to: nothing of its cage outlives it."""
        groups = [*self.own_groups, *self.request["cage"].get("groups", [])]
        for instance in self.instances:
            groups += instance.groups
        kill_group(self.process)
        end_everything(init, list(dict.fromkeys(groups)))
        while self.hear_last():
            pass
        for instance in list(self.instances):
            if instance.pid is not None:
                self.buried(instance)
            elif instance is not self.first:
                self.lost(instance, OSError(errno.ESRCH, "its template has ended"))
            else:
                self.instances.remove(instance)
                answer(ended=instance.identifier, signal=int(signal.SIGKILL))
                self.leftovers.append((Leftover(instance.identifier, instance.connections[0]), time.monotonic() + LAST_READ_SECONDS))
        answer(gone=self.request["id"])
        while self.leftovers:
            self.leftovers = [one for one in self.leftovers if not one[0].read() and time.monotonic() < one[1]]
            if self.leftovers:
                select.select([one[0].connection for one in self.leftovers], [], [], 0.05)

    def hear_last(self):
        try:
            message = json.loads(self.control.recv(4096, socket.MSG_DONTWAIT))
        except (OSError, ValueError, RecursionError):
            return False
        return self.note_ended(message)


def kill_members(group):
    """Of a process group, what descends from here: its template may have let the number go, and then it is anybody's."""
    for pid in descendants(os.getpid()):
        try:
            if os.getpgid(pid) == group:
                kill(pid)
        except OSError:
            pass  # it has ended


def quiet_read(descriptor):
    try:
        os.read(descriptor, 4096)
    except BlockingIOError:
        pass
`;
