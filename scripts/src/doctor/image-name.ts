/** The parts of an image's name. */
export interface ImageName {
  /** Without registry and folders: `postgres` of `docker.io/library/postgres:18`. */
  readonly base: string;
  /** Everything before tag and digest. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Takes an image's name apart; a colon before a slash is a registry's port. */
export function imageName(text: string): ImageName {
  const [named = '', digest] = text.split('@');
  const match = /^(.*?)(?::([^:/]*))?$/.exec(named);
  const repository = match?.[1] ?? named;
  return { repository, base: repository.split('/').at(-1) ?? '', tag: match?.[2], digest };
}
