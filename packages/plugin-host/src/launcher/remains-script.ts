/**
 * The part of the helper process that ends what a caged process leaves behind, and tells whether the kernel has ended it for its
 * memory. Orphans fall to the shepherd or to the init of their namespace, so whatever descends from the process is found there;
 * control groups, where there are any, end all of it at one stroke.
 */
export const REMAINS_SCRIPT = `
EVERYTHING_ENDS_SECONDS = 10


class MemoryGroup:
    """Tells when the kernel has ended something because the group's memory was used up."""

    def __init__(self, group):
        self.version = group["version"]
        self.path = group["directory"] + ("/memory.events" if self.version == 2 else "/memory.oom_control")
        self.before = self.kills()
        if self.version == 2:
            self.descriptor, self.events = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC), select.POLLPRI
        else:
            self.descriptor, self.events = libc.eventfd(0, os.O_CLOEXEC | os.O_NONBLOCK), select.POLLIN
            control = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            write_file(group["directory"] + "/cgroup.event_control", f"{self.descriptor} {control}")
            os.close(control)

    def kills(self):
        with open(self.path) as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def acknowledge(self):
        try:
            os.read(self.descriptor, 4096)
            if self.version == 2:
                os.lseek(self.descriptor, 0, os.SEEK_SET)
        except OSError:
            pass

    def exceeded(self):
        try:
            return self.kills() > self.before
        except OSError:
            return False


def descendants(pid):
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as children:
                    new = [int(one) for one in children.read().split()]
                found += new
                waiting += new
        except OSError:
            pass  # it has ended; its children are ours by now and come with the next look
    return found


def kill_groups(groups):
    """Ends everything in the groups; whether anything was left there."""
    left = False
    for directory in groups:
        try:
            with open(directory + "/cgroup.procs") as lines:
                # 0 is whoever cannot be seen from here; as a number to end it would be this process's own group.
                members = [pid for pid in map(int, lines) if pid > 0]
        except OSError:
            continue
        if not members:
            continue
        left = True
        try:
            write_file(directory + "/cgroup.kill", "1")
        except OSError:
            for member in members:
                kill(member)
    return left


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def end_everything(init, groups):
    """Nothing that descends from the process stays, whatever sessions and parents it has given itself."""
    until = time.monotonic() + EVERYTHING_ENDS_SECONDS
    if init is not None:
        kill(init)
    while True:
        left = kill_groups(groups)
        for pid in descendants(os.getpid()):
            kill(pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            if not left:
                break
        if time.monotonic() > until:
            break
        time.sleep(0.002)
    for directory in groups:
        try:
            os.rmdir(directory)
        except OSError:
            pass  # the daemon tries again
`;
