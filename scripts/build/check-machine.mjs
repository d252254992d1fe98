// What make runs before it installs or builds anything: ends with 3 and one line when this machine, or this user, cannot.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeProblem, renderProblem, rootProblem, writeProblem } from './machine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const written = () => {
  const built = readdirSync(root).map((name) => join(root, name, 'dist'));
  return [root, join(root, 'node_modules'), join(root, 'node_modules', '.package-lock.json'), ...built];
};

const problem =
  nodeProblem(process.versions.node) || rootProblem(root, process.env) || writeProblem(written());
if (problem !== undefined) {
  process.stderr.write(renderProblem('make', problem));
  process.exitCode = 3;
}
