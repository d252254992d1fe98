/** One thing that stops the project on this machine, as a failure says it. */
export interface Problem {
  readonly fact: string;
  readonly evidence: readonly string[];
  readonly hint: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const leastNode: readonly [number, number];
export const reasons: Readonly<Record<string, string>>;
export function nodeProblem(version: string): Problem | undefined;
export function rootProblem(folder: string, environment: Environment): Problem | undefined;
export function writeProblem(paths: readonly string[]): Problem | undefined;
export function remedy(path: string, code: string): Omit<Problem, 'fact'>;
export function userName(uid: number): string;
export function shellWord(text: string): string;
export function renderProblem(program: string, problem: Problem): string;
