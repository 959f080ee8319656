/**
 * What the interpreter is told to do with a site-packages directory and the store: Python, because only it can compile, and
 * because hashing thousands of files has no place on the event loop. Run isolated and without `site`: nothing of the
 * environment is imported, so nothing of a package runs.
 *
 * argv: store, site-packages, `share` or `copy`, what to compile: `nothing`, `present` (where bytecode lies already) or
 * `everything`. Prints the number of modules that got their bytecode from the store.
 */
export const STORE_SCRIPT = `
import _imp, hashlib, importlib.util, marshal, os, shutil, sys
from importlib._bootstrap_external import _RAW_MAGIC_NUMBER

store, site, how, what = sys.argv[1:5]
LARGEST = 4 * 1024 * 1024
SUFFIX = "." + sys.implementation.cache_tag + ".pyc"
# Hash-based and checked: right whatever times a file has, and an edited module is compiled anew as ever.
HEAD = importlib.util.MAGIC_NUMBER + (3).to_bytes(4, "little")
store = os.path.join(store, sys.implementation.cache_tag)
served = 0
if what != "nothing":
    try:
        os.nice(10)
    except OSError:
        pass


def head_of(path):
    try:
        with open(path, "rb") as file:
            return file.read(16)
    except OSError:
        return None


def put(entry, source, path, header):
    try:
        code = marshal.dumps(compile(source, path, "exec", dont_inherit=True))
    except Exception:
        return False
    os.makedirs(os.path.dirname(entry), exist_ok=True)
    draft = "%s.%d" % (entry, os.getpid())
    with open(draft, "wb") as file:
        file.write(header + code)
    os.replace(draft, entry)
    return True


def serve(entry, folder, target):
    try:
        os.mkdir(folder)  # with nothing above it: the environment may be removed meanwhile
    except FileExistsError:
        pass
    draft = "%s.%d" % (target, os.getpid())
    try:
        if how == "share":
            os.link(entry, draft)
        else:
            shutil.copyfile(entry, draft)
    except OSError:
        shutil.copyfile(entry, draft)
    os.replace(draft, target)
    if os.path.lexists(draft):
        os.unlink(draft)  # both were one file already


for folder, folders, names in os.walk(site):
    folders[:] = [name for name in folders if name != "__pycache__"]
    cache = os.path.join(folder, "__pycache__")
    for name in names:
        if not name.endswith(".py"):
            continue
        path = os.path.join(folder, name)
        try:
            if os.path.islink(path) or os.path.getsize(path) > LARGEST:
                continue
            with open(path, "rb") as file:
                source = file.read()
            header = HEAD + _imp.source_hash(_RAW_MAGIC_NUMBER, source)
            digest = hashlib.sha256(source).hexdigest()
            entry = os.path.join(store, digest[:2], digest + ".pyc")
            target = os.path.join(cache, name[:-3] + SUFFIX)
            # What lies in the store is used only if it is what it should be; else it is replaced.
            if head_of(entry) != header:
                if what == "nothing" or (what == "present" and not os.path.exists(target)):
                    continue
                if not put(entry, source, path, header):
                    continue
            if how == "copy" and head_of(target) == header:
                continue
            if how == "share" and os.path.exists(target) and os.path.samefile(entry, target):
                continue
            serve(entry, cache, target)
            os.utime(entry)
            served += 1
        except OSError:
            continue
print(served)
`;
