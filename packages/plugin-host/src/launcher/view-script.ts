/**
 * The part of the helper process that gives a caged process its own files: an empty root, filled with the mounts of its
 * cage, everything read-only that is not said to be writable. Works as root and inside a user namespace; the steps are
 * those of bubblewrap, which cannot give a process another user of the machine.
 */
export const VIEW_SCRIPT = String.raw`
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE, MS_RELATIME = 1024, 2048, 4096, 16384, 1 << 18, 1 << 19, 1 << 21
MNT_DETACH = 2
# Flags that a user namespace may not take away, as mountinfo spells them.
KEPT_FLAGS = {"nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC, "noatime": MS_NOATIME, "nodiratime": MS_NODIRATIME, "relatime": MS_RELATIME}
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "loongarch64": 41, "armv7l": 218, "i686": 217, "ppc64le": 203, "s390x": 217}


def mount(source, target, kind, flags, data=None):
    kernel(f"mounting {target.removeprefix('/new')}", "mount", source, target, kind, flags, data)


def pivot_root(new, old):
    number = PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, "pivot_root is not known for this processor")
    kernel("pivot_root", "syscall", number, new, old)


def place(one):
    at, kind = "/new" + one["at"], one["kind"]
    if kind == "link":
        os.makedirs(os.path.dirname(at), exist_ok=True)
        if not os.path.lexists(at):
            os.symlink(one["to"], at)
    elif kind == "tmpfs":
        os.makedirs(at, exist_ok=True)
        mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, one.get("options", "mode=0755"))
    elif kind == "proc":
        os.makedirs(at, exist_ok=True)
        mount("proc", at, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    else:
        source = "/old" + one["from"]
        try:
            is_directory = stat.S_ISDIR(os.stat(source).st_mode)
        except OSError:
            if one.get("optional"):
                return
            raise
        if is_directory:
            os.makedirs(at, exist_ok=True)
        elif not os.path.lexists(at):
            os.makedirs(os.path.dirname(at), exist_ok=True)
            os.close(os.open(at, os.O_CREAT | os.O_WRONLY, 0o444))
        mount(source, at, None, MS_BIND | MS_REC)


def lock_mounts(writable):
    with open("/old/proc/self/mountinfo", "rb") as lines:
        found = [line.split(b" ")[4:6] for line in lines]
    for path, options in found:
        # No module can be imported any more: Python's own files may be among those that are out of sight.
        for escape, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
            path = path.replace(escape, character)
        path = path.decode("utf-8", "surrogateescape")
        options = options.decode().split(",")
        if not (path == "/new" or path.startswith("/new/")) or "ro" in options:
            continue
        if path == "/new/proc" or path in writable:
            continue
        flags = MS_NOSUID
        for option in options:
            flags |= KEPT_FLAGS.get(option, 0)
        mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def enter_view(mounts):
    kernel("a mount namespace", "unshare", CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_SLAVE)
    base = next(one for one in ("/tmp", "/run", "/mnt", "/var") if os.path.isdir(one))
    mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    os.mkdir(base + "/new")
    os.mkdir(base + "/old")
    pivot_root(base, base + "/old")
    os.chdir("/")
    mount("/new", "/new", None, MS_BIND | MS_REC)
    for one in mounts:
        place(one)
    lock_mounts({"/new" + one["at"] for one in mounts if one.get("writable")})
    mount(None, "/old", None, MS_REC | MS_PRIVATE)
    kernel("hiding the machine's files", "umount2", "/old", MNT_DETACH)
    os.chdir("/new")
    pivot_root(".", ".")
    kernel("hiding the machine's files", "umount2", ".", MNT_DETACH)
    os.chdir("/")
`;
