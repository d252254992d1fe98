import { Acl } from './acl.ts';
import { type PathRule, parsePolicy } from './policy.ts';
import { ApiRefusal } from './refusal.ts';

/** What every token may do unless it was made without: look at itself, renew and end itself. */
const defaultPolicy = `# What every token may do unless it was made without this policy.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/mounts/*" { capabilities = ["read"] }
`;

/** The ACL policies by name. `root` grants everything and `default` is there from the start; neither can be deleted. */
export class PolicyStore {
  readonly #texts = new Map<string, string>();
  readonly #rules = new Map<string, PathRule[]>();

  constructor() {
    this.write('default', defaultPolicy);
  }

  names(): string[] {
    return [...this.#texts.keys(), 'root'].sort();
  }

  /** The text as written; empty for `root`; undefined when there is none. */
  text(name: string): string | undefined {
    return name === 'root' ? '' : this.#texts.get(name);
  }

  /** @throws {PolicyError} when the text is no policy this server can honour; the old one then stays */
  write(name: string, text: string): void {
    if (name === 'root') throw new ApiRefusal(400, 'cannot update "root" policy');
    this.#rules.set(name, parsePolicy(text));
    this.#texts.set(name, text);
  }

  delete(name: string): void {
    if (name === 'root' || name === 'default') throw new ApiRefusal(400, `cannot delete "${name}" policy`);
    this.#texts.delete(name);
    this.#rules.delete(name);
  }

  /** What holders of these policies may do. A name without a policy grants nothing, until somebody writes it. */
  acl(names: readonly string[]): Acl {
    return new Acl(names.flatMap((name) => this.#rules.get(name) ?? []));
  }
}
