// Takes the place of axios in the bundled programs (`alias` in scripts/build.mjs): node-vault loads axios at its start,
// 270 kB and some 40 ms, though every request of this project goes over vault/src/transport.ts.
module.exports = {
  create() {
    throw new Error('axios is not in this bundle: open Vault by openVault, which brings its own transport');
  },
};
