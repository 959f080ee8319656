import { HELPER_BODY, HELPER_START, type HelperProgram } from '../launcher/index.ts';
import { CANCEL_SCRIPT } from './cancel-script.ts';
import { CLIENTS_SCRIPT } from './clients-script.ts';
import { TEMPLATE_SCRIPT } from './template-script.ts';
import { YAML_SCRIPT } from './yaml-script.ts';

/**
 * A parent: a helper process that has imported the SDK, and whose children become plugins without exec, sharing its memory. The rest
 * is the helper's: shepherds, cages, pipes, ends. It runs in an environment of the daemon's own, never in a plugin's, and nothing of
 * a plugin: a child is in its cage before it reads the first byte of one.
 *
 * Importing the SDK patches the modules of Python to switch between greenlets, and makes the hub that would do it, which nobody may
 * enter before the fork. What the helper stands on are therefore copies of these modules as they were before.
 */
const IMPORT_SDK = String.raw`
import ctypes, resource, types


def before_patches(module):
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(module.__dict__)
    return copy


# While it imports it may stand still, for others or for good: it does not see then that the daemon was killed.
PR_SET_PDEATHSIG = 1
libc_of_import = ctypes.CDLL(None)
libc_of_import.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
# What is printed during the import is no answer.
CONTROL_IN, CONTROL_OUT = os.dup(0), os.dup(1)
os.dup2(os.open("/dev/null", os.O_RDWR), 0)
os.dup2(0, 1)
os.closerange(CONTROL_OUT + 1, 256)
os, select, signal, socket, time = map(before_patches, (os, select, signal, socket, time))
sys.path[:] = [one for one in sys.path if one != ""]
# Where the interpreter has its own modules; the rest is the seed's.
SEED = [one for one in sys.path if one.startswith(sys.prefix + "/")]
packages, kept_importers = [], []


def import_sdk():
    """What the daemon should know of it. @raises Exception when children cannot be forked"""
    import importlib, gc
    import dify_plugin
    for name in MORE_MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # not of this release
    amended, say = _plugin_daemon_cancel()
    reason = amended()
    yaml_loader = sys.modules.get("dify_plugin.core.utils.yaml_loader")
    if yaml_loader is not None:
        _plugin_daemon_faster_yaml(yaml_loader)
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("importing the SDK starts threads")
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptors[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            pass  # the one that is looked through
    for number in (0, 1, 2, CONTROL_IN, CONTROL_OUT):
        descriptors.pop(number, None)
    for target in descriptors.values():
        if not target.startswith("anon_inode:[event"):
            raise RuntimeError(f"importing the SDK opens {target}")
    # Where each package is searched, with its place in the seed: found here, because looking at a module in a child copies its page.
    for module in list(sys.modules.values()):
        path = vars(module).get("__path__")
        if type(path) is list and len(path) == 1 and type(path[0]) is str:
            packages.extend((path, path[0][len(seed):]) for seed in SEED if path[0].startswith(seed + "/"))
    gc.collect()
    gc.freeze()
    return set(descriptors), lambda: say(reason), sorted({name.partition(".")[0] for name in sys.modules})


# Imported with the SDK, because most plugins do or the first call does. All belong to what the SDK itself needs.
MORE_MODULES = (
    "dify_plugin.interfaces.tool",
    "dify_plugin.entities.tool",
    "dify_plugin.entities.model.llm",
    "dify_plugin.errors.model",
    "dify_plugin.errors.tool",
    "dify_plugin.core.server.stdio.request_reader",
    "requests",
    "httpx",
    "httpcore",
    "yaml",
    "dify_plugin.core.utils.yaml_loader",
    "concurrent.futures.thread",
    "runpy",
    "site",
)

try:
    kept_descriptors, say_of_sdk, names = import_sdk()
    facts = {"names": names}
except BaseException as error:
    os.write(CONTROL_OUT, json.dumps({"failed": f"{type(error).__name__}: {error}"[:500]}).encode() + b"\n")
    os._exit(1)


def introduced():
    # From here on it sees the end of the daemon, and ends its children in order.
    libc_of_import.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)
`;

/** What a child does that has left its parent's frames: becomes what "python -m" would have made of the plugin's module. */
const BECOME_PLUGIN = `
def close_descriptors(control):
    last = 2
    for number in sorted({*kept_descriptors, *([] if control is None else [control.fileno()])}) + [65536]:
        os.closerange(last + 1, number)
        last = number


def move_packages(site_packages):
    """Modules that are imported later come from the plugin's own environment, which has the same ones."""
    for path, rest in packages:
        path[0] = site_packages + rest


def become_plugin(request):
    import gc, importlib, runpy, site, types
    import gevent, signal
    fork = request["fork"]
    control = fork.get("control")
    close_descriptors(control)
    # The epoll instance is still the parent's.
    gevent.reinit()
    prctl(PR_SET_DUMPABLE, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(one, signal.SIG_IGN)
    # An interpreter that is started without a locale takes one with UTF-8 and says so in its environment; the parent has.
    coerced = os.environ.get("LC_CTYPE")
    os.environ.clear()
    os.environ.update(request["env"])
    if coerced is not None and not any(os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        os.environ["LC_CTYPE"] = coerced
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None
    prefix = os.path.dirname(os.path.dirname(request["command"]))
    sys.executable, sys.prefix, sys.exec_prefix = request["command"], prefix, prefix
    sys.orig_argv[:] = [request["command"], "-m", fork["entrypoint"]]
    sys.argv[:] = ["-m"]
    sys.path[:] = [one for one in sys.path if one not in SEED]
    # The old one is kept: to free what is in it would be to write into pages that are shared.
    kept_importers.append(sys.path_importer_cache)
    sys.path_importer_cache = {}
    move_packages(fork["sitePackages"])
    site.PREFIXES[:] = [sys.base_prefix, sys.base_exec_prefix]
    site.main()
    sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()
    say_of_sdk()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if "__annotations__" in globals():
        main.__annotations__ = {}
    gc.enable()
    if control is not None:
        hold_before_serving(control, fork["template"]["afterMs"])
    runpy._run_module_as_main(fork["entrypoint"])


if chosen is not None:
    become_plugin(chosen)
`;

const PARENT_SCRIPT = `${HELPER_START}${CLIENTS_SCRIPT}${CANCEL_SCRIPT}${YAML_SCRIPT}${IMPORT_SDK}${HELPER_BODY}${TEMPLATE_SCRIPT}${BECOME_PLUGIN}`;

/**
 * A parent.
 * @param python of the environment that holds the SDK
 * @param environment of the plugins that it will start
 */
export const parentProgram = (python: string, environment: Readonly<Record<string, string>>): HelperProgram => ({
  command: python,
  args: ['-c', PARENT_SCRIPT],
  env: environment,
  // Importing the SDK takes a second, and much longer on a machine that has just been started.
  readyMs: 60_000,
});
