import { Failure } from '@lockstep/foundation';

/** An address that is not this machine's own; the embedded Vault keeps its secrets from the network. */
export class DevVaultAddressError extends Failure {
  constructor(address: string) {
    super(`address ${JSON.stringify(address.slice(0, 120))} is not a loopback address`, {
      code: 'dev-vault-address',
      exitStatus: 2,
      evidence: [
        'the embedded Vault is for development and listens only where this machine alone can reach it',
      ],
      hint: '--address 127.0.0.1',
    });
  }
}

/** The port cannot be had. */
export class PortTakenError extends Failure {
  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const reason = cause.code === 'EACCES' ? 'may not be used by this user' : 'is taken by another program';
    super(`port ${port} on ${host} ${reason}`, {
      code: 'dev-vault-port',
      exitStatus: 2,
      hint: '--port 0, which picks a free one and prints it',
      cause,
    });
  }
}

/** An option of the command line that cannot be meant. */
export class DevVaultOptionError extends Failure {
  constructor(fact: string) {
    super(fact, { code: 'dev-vault-option', exitStatus: 2, hint: 'dev-vault --help' });
  }
}
