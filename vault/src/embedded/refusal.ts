/** A request this server answers with an error: a status and the texts of Vault's `errors` list. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly errors: readonly string[];

  constructor(status: number, ...errors: string[]) {
    super(errors.join('; '));
    this.status = status;
    this.errors = errors;
  }
}

/** Vault's own spelling of a list of one error. */
export function listed(...errors: string[]): string {
  const title = errors.length === 1 ? '1 error occurred:' : `${errors.length} errors occurred:`;
  return `${title}\n${errors.map((error) => `\t* ${error}\n`).join('')}\n`;
}

/** What Vault may have at `path` and this server has not; 404, as for a path that nobody has. */
export function notHere(path: string): ApiRefusal {
  return new ApiRefusal(404, listed(`${path} is not in the development Vault`));
}
