const statuses = { SIGINT: 130, SIGTERM: 143 } as const;

/** SIGINT or SIGTERM, as they arrive. */
export interface Interruption {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** The exit status of the first signal; undefined before it. */
  status(): number | undefined;
  /** Resolves at the second signal, with its exit status: whoever asks twice does not want to wait. */
  readonly again: Promise<number>;
}

/** Listens to the signals that end an app. Without a listener Node as process 1 of a container would ignore them. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let first: number | undefined;
  const again = new Promise<number>((resolve) => {
    for (const [name, status] of Object.entries(statuses)) {
      process.on(name, () => {
        if (first !== undefined) resolve(status);
        first ??= status;
        controller.abort();
      });
    }
  });
  return { signal: controller.signal, status: () => first, again };
}
