// One name, so that the bundle holds of Vault's client only what reading a secret needs.
export { readSecret } from '@lockstep/vault';
