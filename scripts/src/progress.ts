import { isUp, type Outcome, type Progress, type ServiceState, type ServiceStatus } from './engine.ts';

/** Shows a start as it happens. */
export interface ProgressView {
  readonly report: (progress: Progress) => void;
  /** Ends the view; what the outcomes say wins over what was seen. */
  readonly finish: (outcomes: readonly Outcome[]) => Promise<void>;
}

/** Shows nothing. */
export const silentProgress: ProgressView = { report: () => undefined, finish: async () => undefined };

/**
 * On a terminal one live line for each service, elsewhere a plain line for each that becomes ready or fails; the same on every
 * engine, as compose's own progress is turned off.
 */
export async function openProgress(
  services: readonly string[],
  stream: NodeJS.WriteStream,
): Promise<ProgressView> {
  return stream.isTTY ? liveProgress(services, stream) : plainProgress(services, stream);
}

const final: readonly ServiceState[] = ['healthy', 'completed', 'failed', 'unhealthy'];

/** `healthy after 0.9 s`, `failed with exit status 1`: a state in a few words. */
export function describe({ state, seconds, exitStatus, note }: ServiceStatus): string {
  const ended = state === 'failed' || state === 'restarting';
  const status = ended && exitStatus !== undefined ? ` with exit status ${exitStatus}` : '';
  const after = seconds === undefined || ended ? '' : ` after ${seconds.toFixed(1)} s`;
  const why = note === undefined || state === 'restarting' ? '' : `: ${note}`;
  return `${state}${status}${after}${why}`;
}

function plainProgress(services: readonly string[], stream: NodeJS.WriteStream): ProgressView {
  const width = widest(services);
  const shown = new Map<string, string>();
  return {
    report: (progress) => {
      if (progress.kind === 'step') {
        stream.write(`${progress.text}\n`);
        return;
      }
      const { status } = progress;
      const line = `  ${status.service.padEnd(width)}  ${describe(status)}\n`;
      if (!final.includes(status.state) || shown.get(status.service) === line) return;
      shown.set(status.service, line);
      stream.write(line);
    },
    finish: async () => undefined,
  };
}

function widest(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => name.length));
}

async function liveProgress(services: readonly string[], stream: NodeJS.WriteStream): Promise<ProgressView> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  const width = widest(services);
  const lines = services.map((service) => new LiveLine(service, width));
  const list = new Listr(
    lines.map((line) => ({
      title: line.service,
      task: (_, task) =>
        line.run((title) => {
          task.title = title;
        }),
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Ctrl-C is the command's to answer.
      registerSignalListeners: false,
      rendererOptions: {
        collapseErrors: false,
        showErrorMessage: false,
        logger: new ListrLogger({
          useIcons: false,
          toStderr: [],
          processOutput: new ProcessOutput(stream, stream),
        }),
      },
    },
  );
  const ended = list.run();
  // What is written amid the live lines would be overwritten.
  const steps: string[] = [];
  return {
    report: (progress) => {
      if (progress.kind === 'step') {
        steps.push(progress.text);
        return;
      }
      lines.find(({ service }) => service === progress.status.service)?.see(progress.status);
    },
    finish: async (outcomes) => {
      for (const line of lines) line.end(outcomes.find(({ service }) => service === line.service));
      await ended.catch(() => undefined);
      for (const text of steps) stream.write(`${text}\n`);
    },
  };
}

/** One service's line: a task that ends when the service is ready, fails, or the start is over. */
class LiveLine {
  readonly service: string;
  readonly #width: number;
  #show: (title: string) => void = () => undefined;
  #settle: ((failed: boolean) => void) | undefined;

  constructor(service: string, width: number) {
    this.service = service;
    this.#width = width;
  }

  run(show: (title: string) => void): Promise<void> {
    this.#show = show;
    return new Promise((resolve, reject) => {
      this.#settle = (failed) => (failed ? reject(new Error(this.service)) : resolve());
    });
  }

  see(status: ServiceStatus): void {
    this.#say(describe(status));
    if (status.state === 'healthy' || status.state === 'completed') this.#settle?.(false);
  }

  end(outcome: Outcome | undefined): void {
    if (outcome !== undefined) this.#say(describeOutcome(outcome));
    this.#settle?.(outcome?.ok !== true);
  }

  #say(words: string): void {
    this.#show(`${this.service.padEnd(this.#width)}  ${words}`);
  }
}

/** As {@link describe}, and what it waited for in vain. */
export function describeOutcome(outcome: Outcome): string {
  const { blockedBy, state, ok, changed } = outcome;
  if (blockedBy !== undefined && blockedBy.length > 0) {
    const blockers = blockedBy.join(', ');
    if (!isUp(state)) return `not started: waits for ${blockers}`;
    const isSchema = blockedBy.some((name) => name.endsWith('-migrations'));
    return `still running ${isSchema ? 'on the old schema' : 'as it was'}: ${blockers} failed`;
  }
  return ok && !changed ? `${state}, unchanged` : describe(outcome);
}
