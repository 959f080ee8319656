import { CANCEL_SCRIPT } from './cancel-script.ts';
import { CLIENTS_SCRIPT } from './clients-script.ts';
import { YAML_SCRIPT } from './yaml-script.ts';

/**
 * Runs a plugin's module as `python -m` does, with the SDK amended as soon as the module has imported it. What the package brought is
 * not searched before that: a file of it that is called like a module of Python's would be taken for it.
 */
export const BOOTSTRAP_SCRIPT = `
${CLIENTS_SCRIPT}${CANCEL_SCRIPT}${YAML_SCRIPT}
def _plugin_daemon_start():
    import sys
    # Before anything that Python has not loaded yet, or the package's module of that name would be.
    sys.path[:] = [one for one in sys.path if one != ""]
    import importlib.util, os, runpy
    if os.environ.get("INSTALL_METHOD") == "serverless" and importlib.util.find_spec("dify_plugin") is None:
        print("warning: calls of this plugin go on when their client leaves: it is not on the SDK", flush=True)
    amended, say = _plugin_daemon_cancel()
    changes = {
        "dify_plugin.core.server.io_server": lambda module: say(amended()),
        "dify_plugin.core.utils.yaml_loader": _plugin_daemon_faster_yaml,
    }

    class AfterImport:
        """Changes modules of the SDK when they have been loaded, and looks no further after the last one."""

        def find_spec(self, name, path=None, target=None):
            change = changes.pop(name, None)
            if change is None:
                return None
            if not changes:
                sys.meta_path.remove(self)
            for finder in sys.meta_path:
                if finder is self:
                    continue
                spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
                if spec is not None:
                    break
            else:
                return None
            load = spec.loader.exec_module

            def load_and_amend(module):
                load(module)
                change(module)

            spec.loader.exec_module = load_and_amend
            return spec

    sys.meta_path.insert(0, AfterImport())
    entrypoint = sys.argv[1]
    sys.path.insert(0, os.getcwd())
    sys.argv[:] = ["-m", *sys.argv[2:]]
    for name in ("_plugin_daemon_clients", "_plugin_daemon_cancel", "_plugin_daemon_faster_yaml", "_plugin_daemon_start"):
        del globals()[name]
    runpy._run_module_as_main(entrypoint)


_plugin_daemon_start()
`;

/** What the interpreter of a plugin's environment is given, so that it runs a module of the plugin. */
export const bootstrapArguments = (entrypoint: string): readonly string[] => ['-c', BOOTSTRAP_SCRIPT, entrypoint];
