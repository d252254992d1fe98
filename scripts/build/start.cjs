'use strict';
// Starts the program beside it, `<name>.cjs` for `<name>.start.cjs`, from V8's compiled code in `<name>.cache`: less than half of
// the time that compiling takes. Where that is absent, of another Node or of another build, the program is compiled as ever.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { createHash } = require('node:crypto');
const { basename, dirname } = require('node:path');
const { Script } = require('node:vm');

// The same as `engines` in package.json. An older Node ends somewhere inside, with a stack.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  const name = basename(__filename, '.start.cjs');
  process.stderr.write(`${name}: Node.js 20.19 or newer is needed, and this is ${process.versions.node}\n`);
  process.exit(3);
}

const program = __filename.replace(/\.start\.cjs$/, '.cjs');
// Whoever looks at the command line sees the program.
process.argv[1] = program;
const compiled = load();
if (compiled === undefined) require(program);
else {
  const module = { exports: {}, filename: program };
  compiled(module.exports, createRequire(program), module, program, dirname(program));
}

/** The program as a function; undefined when it must be compiled. */
function load() {
  try {
    const cache = readFileSync(program.replace(/\.cjs$/, '.cache'));
    const bytes = readFileSync(program);
    // V8 itself compares no more than the length of the text.
    if (!createHash('sha256').update(bytes).digest().equals(cache.subarray(0, 32))) return undefined;
    // The build writes ASCII alone, which is read fastest so.
    const text = `(function(exports,require,module,__filename,__dirname){${bytes.latin1Slice()}\n})`;
    const script = new Script(text, { filename: program, cachedData: cache.subarray(32) });
    return script.cachedDataRejected ? undefined : script.runInThisContext();
  } catch {
    return undefined;
  }
}
