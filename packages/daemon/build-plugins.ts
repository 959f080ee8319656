/** What build.ts asks of the bundler beyond its options: where imports lead. */
import { builtinModules, createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Lets whoever imports one of these find it as a file beside itself. @param files their names, without an ending, by what is imported */
export const besides = (files: ReadonlyMap<string, string>): Plugin => ({
  name: 'besides',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind }) => {
      const file = kind === 'entry-point' ? undefined : files.get(path);
      return file === undefined ? undefined : { path: `./${file}.js`, external: true };
    });
  },
});

/** Has these parts of Node loaded when something of them is first used, not when the module that may use it is. */
export const nodePartsOnDemand = (parts: readonly string[]): Plugin => ({
  name: 'node-parts-on-demand',
  setup({ onResolve, onLoad }) {
    const namespace = 'node-part-on-demand';
    onResolve({ filter: /^(node:)?\w+$/ }, ({ path, namespace: importer }) => {
      const name = path.replace('node:', '');
      if (!builtinModules.includes(name) || !parts.includes(name)) return undefined;
      return importer === namespace ? { path: `node:${name}`, external: true } : { path: name, namespace };
    });
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      loader: 'js',
      contents: Object.keys(require(`node:${path}`))
        .map((key) => `Object.defineProperty(exports, '${key}', { enumerable: true, get: () => part().${key} });`)
        .concat(`const part = () => require('node:${path}');`)
        .join('\n'),
    }));
  },
});

/** Leaves parts of libraries out that the daemon does not use, and that would load much; using them says so. */
export const without = (parts: readonly { readonly of: RegExp; readonly path: string }[]): Plugin => ({
  name: 'without',
  setup({ onResolve, onLoad }) {
    const namespace = 'left-out';
    onResolve({ filter: /./ }, ({ path, importer }) =>
      parts.some((part) => part.path === path && part.of.test(importer)) ? { path, namespace } : undefined,
    );
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      loader: 'js',
      contents: `module.exports = class { constructor() { throw new Error(${JSON.stringify(`${path} was left out of the bundle (build.ts)`)}); } };`,
    }));
  },
});
