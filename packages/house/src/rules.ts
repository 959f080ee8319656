/** Folders and files directly below a package's `src/`; those in one group do not import each other. */
type Layer = readonly string[];

export interface HouseRules {
  /** Packages from the lowest to the highest: each may import those below it that its `package.json` names. */
  readonly packages: readonly string[];
  /** For a package, what lies directly below its `src/`, from the lowest to the highest: imports point downwards only. */
  readonly layers: Readonly<Record<string, readonly Layer[]>>;
  /** Files that may be imported past their room's door, with the reason. */
  readonly sideDoors: Readonly<Record<string, string>>;
  /** Files that may look at `process.env`, with the reason. Everybody else is handed what it needs. */
  readonly environmentReaders: Readonly<Record<string, string>>;
}

export const rules: HouseRules = {
  packages: [
    'house',
    'values',
    'wire-schema',
    'plugin-package',
    'plugin-host',
    'services',
    'client',
    'bench',
    'daemon',
    'cli',
    'simulator',
  ],
  layers: {
    'plugin-host': [
      [
        'actions',
        'backwards-kinds',
        'collections',
        'errors',
        'json',
        'log',
        'sibling-module.ts',
        'thread-pool.ts',
        'python-output.ts',
        'text',
      ],
      ['budget', 'launcher'],
      ['plugin-python', 'runtimes'],
      ['environments', 'isolation'],
      ['prefork'],
      ['testing'],
    ],
    daemon: [
      ['config', 'concurrency', 'ipc', 'scaling', 'version.ts', 'heap', 'builds.ts'],
      ['cache', 'telemetry'],
      ['events', 'jobs', 'storage'],
      ['database', 'nodes'],
      ['audit', 'backwards-invocation', 'runtimes'],
      ['endpoints', 'forwarding', 'routing'],
      ['invocation', 'supervision'],
      ['functions', 'installation'],
      ['http'],
      ['sri', 'workers'],
      ['compose'],
      [
        'banner.ts',
        'check.ts',
        'docs.ts',
        'last-net.ts',
        'local-daemon.ts',
        'migrate-store.ts',
        'stop-signals.ts',
        'worker-variable.ts',
      ],
      ['process-life.ts', 'served.ts'],
      ['serve-daemon.ts'],
      ['serve-primary.ts', 'serve-sri.ts', 'serve-worker.ts'],
      ['serve.ts'],
      ['roles.ts', 'compiled-code.ts'],
      ['program.ts'],
      ['main.ts', 'main-bundled.ts', 'index.ts', 'decisions.ts'],
    ],
    'plugin-package': [
      ['errors.ts', 'json.ts'],
      ['exact-integer.ts'],
      ['archive', 'yaml'],
      ['declaration'],
      ['assets.ts', 'identifier.ts', 'readme.ts', 'settings.ts', 'signature'],
      ['directory', 'package.ts'],
      ['bundle'],
      ['index.ts', 'schema.ts'],
    ],
    cli: [
      ['errors.ts', 'nearest.ts', 'older-node.ts', 'version.ts'],
      ['files', 'output'],
      ['command.ts', 'machine'],
      ['init'],
      ['source'],
      ['bundle', 'signature', 'validate', 'doctor'],
      ['run'],
      ['plugin', 'slim'],
      ['remote'],
      ['command-line'],
      ['docs.ts', 'index.ts', 'main.ts'],
    ],
  },
  sideDoors: {
    'packages/daemon/src/compose/log.ts': 'the log of a primary process, which loads nothing else of a daemon',
    'packages/cli/src/validate/command.ts': 'a command, which the table loads when it is called',
  },
  environmentReaders: {
    'packages/bench/src/conformance.ts': 'a program',
    'packages/bench/src/conformance/backend.ts': 'servers named for the whole run',
    'packages/bench/src/conformance/debugging.ts': 'starts plugins that inherit it',
    'packages/bench/src/conformance/shared-bench.ts': 'starts recorders that inherit it',
    'packages/bench/src/daemon/process.ts': 'starts daemons that inherit it',
    'packages/bench/src/demo.ts': 'a program',
    'packages/bench/src/main.ts': 'a program',
    'packages/cli/src/command-line/run.ts': 'the program dify, which hands it to its commands',
    'packages/cli/src/slim/main.ts': 'the program dify-plugin-daemon-slim',
    'packages/daemon/build.ts': 'a program',
    'packages/daemon/src/check.ts': 'a program',
    'packages/daemon/src/config/own-environment.ts': 'takes the settings out of it, so that no process inherits them',
    'packages/daemon/src/migrate-store.ts': 'a program',
    'packages/daemon/src/serve-primary.ts': 'a program',
    'packages/daemon/src/serve-sri.ts': 'a program',
    'packages/daemon/src/serve-worker.ts': 'a program',
    'packages/daemon/src/serve.ts': 'a program',
    'packages/house/src/test-runs/reporter.ts': 'made by vitest, for a gate that says where its report goes',
    'packages/plugin-host/pin-uv.ts': 'a program',
    'packages/services/src/executables.ts': 'looks for servers on the PATH',
    'packages/bench/src/services.ts': 'a program',
    'packages/services/src/provided.ts': 'tells tests which servers there are',
  },
};
