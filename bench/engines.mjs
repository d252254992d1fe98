// Measures the stack on a container engine, images built: `node bench/engines.mjs docker|podman [rounds]`. Prints medians and
// ranges in milliseconds, ratios to the floor (the same containers with one empty migration each), where each cold start
// went, and what the machine does while the stack idles.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyStack, Samples } from './stack-copy.mjs';

const [engine = '', rounds = '5'] = process.argv.slice(2);
if (!['docker', 'podman'].includes(engine) || !/^\d+$/.test(rounds)) {
  console.error('usage: node bench/engines.mjs docker|podman [rounds]');
  process.exit(2);
}
const idleSeconds = 30;

/** Seconds all cores have been busy since boot (proc(5), /proc/stat, in hundredths). */
const busy = async () => {
  const [, user, nice, system, , , irq, softirq] = (await readFile('/proc/stat', 'utf8'))
    .split('\n', 1)[0]
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq) / 100;
};
const busyShare = async () => {
  const before = await busy();
  await sleep(idleSeconds * 1000);
  return (100 * ((await busy()) - before)) / idleSeconds;
};

const [real, floor] = [await copyStack(engine), await copyStack(engine)];
for (const service of ['services-api', 'content-api']) {
  const folder = join(floor.folder, service, 'migrations');
  const last = (await readdir(folder))
    .filter((file) => file.endsWith('.up.sql'))
    .sort()
    .at(-1);
  await rm(folder, { recursive: true });
  await mkdir(folder);
  // The app's gate asks for this version.
  await writeFile(join(folder, last), 'select 1;\n');
  await writeFile(join(folder, last.replace('.up.', '.down.')), 'select 1;\n');
}

const samples = new Samples();
const waterfalls = [];
try {
  const quiet = await busyShare();
  for (let round = 0; round < Number(rounds); round++) {
    await samples.take('floor: up, no data', () => floor.stack('up'));
    await floor.stack('down', '--volumes');
    const { output } = await samples.take('up, no data', () => real.stack('up'));
    waterfalls.push(output.match(/^ready in .*$/m)?.[0]);
    await samples.take('up again, nothing to do', () => real.stack('up'));
    await samples.take('status', () => real.stack('status'));
    await samples.take('reset', () => real.stack('reset'));
    await samples.take('down', () => real.stack('down'));
    await samples.take('up, data kept', () => real.stack('up'));
    await samples.take('down --volumes', () => real.stack('down', '--volumes'));
  }
  await real.stack('up');
  await sleep(5_000);
  const idle = await busyShare();
  console.log(`${rounds} rounds on ${engine}, milliseconds, whole processes`);
  samples.print('floor: up, no data');
  for (const line of waterfalls) console.log(line);
  console.log(
    `idle stack: ${(idle - quiet).toFixed(1)} % of one core (${idle.toFixed(1)} with it, ${quiet.toFixed(1)} without)`,
  );
} finally {
  await Promise.all([real.remove(), floor.remove()]);
}
