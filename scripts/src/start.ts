import { nodeProblem, renderProblem } from '../build/machine.mjs';

// The commands are loaded only on a Node that can read them: an older one ends in the middle of loading, with a stack.
const problem = nodeProblem(process.versions.node);
if (problem === undefined) await import('./cli.ts');
else {
  process.stderr.write(renderProblem('stack', problem));
  process.exitCode = 3;
}
