export { type ClientManner, LibpqClient } from './client.ts';
export { parseConnectionString } from './connection-string.ts';
export {
  ConnectionClosedError,
  OtherServerError,
  TlsFileError,
  TlsRefusedError,
  TlsUnavailableError,
  WeakLoginError,
} from './errors.ts';
export { addressOf, formatConnectionString } from './format.ts';
export { passingReason } from './network-reason.ts';
export { openStream } from './open-stream.ts';
export {
  type BrokenRule,
  type ConnectionParameters,
  type TlsWord,
  tlsWords,
  toParameters,
} from './parameters.ts';
export { untilThere, type Waiting } from './waiting.ts';
