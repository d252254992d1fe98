// An esbuild plugin: modules of Node that cost milliseconds to load and that most runs do not use are loaded when something of
// them is first used, whoever imports them.
const lazy = ['child_process', 'fs/promises', 'readline/promises', 'zlib', 'tls', 'http', 'https'];

export const lazyBuiltins = {
  name: 'lazy-builtins',
  setup(build) {
    const filter = new RegExp(`^(node:)?(${lazy.join('|')})$`);
    build.onResolve({ filter }, ({ path, namespace }) =>
      namespace === 'lazy-builtin' ? { path, external: true } : { path, namespace: 'lazy-builtin' },
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== 'default');
      const getter = (name) =>
        `get ${JSON.stringify(name)}() { return require(${JSON.stringify(path)}).${name}; },`;
      return { contents: `module.exports = {\n${names.map(getter).join('\n')}\n};`, loader: 'js' };
    });
  },
};
