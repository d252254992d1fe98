'use strict';
// node compile.cjs <program> <cache> [argument...]: runs the program and writes V8's compiled code of it when it ends.
const { createHash } = require('node:crypto');
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** The text that start.cjs makes of a program's bytes: V8 takes compiled code for a text of the same length alone. */
exports.wrap = (bytes) => `(function(exports,require,module,__filename,__dirname){${bytes.latin1Slice()}\n})`;

if (require.main === module) {
  const [, , program, cache, ...args] = process.argv;
  process.argv = [process.execPath, program, ...args];
  const bytes = readFileSync(program);
  if (bytes.some((byte) => byte > 127)) throw new Error(`${program} is not all ASCII`);
  const script = new Script(exports.wrap(bytes), { filename: program });
  process.on('exit', () => {
    const digest = createHash('sha256').update(bytes).digest();
    writeFileSync(`${cache}.new`, Buffer.concat([digest, script.createCachedData()]));
    renameSync(`${cache}.new`, cache);
  });
  const ran = { exports: {}, filename: program };
  script.runInThisContext()(ran.exports, createRequire(program), ran, program, dirname(program));
}
