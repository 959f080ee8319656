/**
 * What is changed in the SDK's reading of a plugin's YAML: at every start it reads all of it with the parser that is written in Python,
 * which for a provider of many models is most of the start. That of libyaml, which PyYAML brings along, gives the same in a seventh of the
 * time. What it refuses is read again as the SDK would have, for its words about what is wrong.
 */
export const YAML_SCRIPT = `
def _plugin_daemon_faster_yaml(yaml_loader):
    plain = getattr(yaml_loader, "yaml", None)
    loader = getattr(plain, "CSafeLoader", None)
    if loader is None or not hasattr(plain, "safe_load"):
        return

    class Faster:
        def __getattr__(self, name):
            return getattr(plain, name)

        def safe_load(self, stream):
            try:
                return plain.load(stream, loader)
            except Exception:
                if hasattr(stream, "seek"):
                    stream.seek(0)
                return plain.safe_load(stream)

    yaml_loader.yaml = Faster()
`;
