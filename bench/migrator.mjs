// Measures the migrator against its peers and against psql, on one Postgres of its own, everything of a section interleaved in the
// same rounds: `npm run bench` (all of it, about 20 minutes) or `node bench/migrator.mjs --sections start,apply --rounds 3 --most 100`.
// Prints medians, ranges, ratios and largest memory; with --write also docs/performance.json and docs/performance.svg.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from './migrator/chart.mjs';
import {
  development,
  findContenders,
  installPeers,
  ours,
  writeMigration,
  writeMigrations,
} from './migrator/contenders.mjs';
import { run } from './migrator/run.mjs';
import { printSection, Samples } from './migrator/samples.mjs';
import { startPostgres } from './migrator/server.mjs';
import { project } from './stack-copy.mjs';

const names = ['start', 'apply', 'large', 'racing', 'two', 'recreate', 'fleet'];
const { values } = parseArgs({
  options: {
    sections: { type: 'string', default: names.join(',') },
    rounds: { type: 'string', default: '5' },
    most: { type: 'string', default: '1000' },
    databases: { type: 'string', default: '1000' },
    write: { type: 'boolean', default: false },
  },
});
const wanted = values.sections.split(',');
const [rounds, most, databases] = [values.rounds, values.most, values.databases].map(Number);
if (
  wanted.some((name) => !names.includes(name)) ||
  ![rounds, most, databases].every((number) => number >= 1)
) {
  console.error(
    `usage: node bench/migrator.mjs [--sections ${names.join(',')}] [--rounds 5] [--most 1000] [--databases 1000] [--write]`,
  );
  process.exit(2);
}

await installPeers();
const server = await startPostgres();
const contenders = await findContenders();
const url = server.urlOf('bench');
const results = {
  machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  postgres: server.version,
  date: new Date().toISOString().slice(0, 10),
  load: loadavg()[0],
  sections: {},
};
const section = (title, samples, base) => {
  results.sections[title] = samples.toJson();
  printSection(title, results.sections[title], base);
};
const bareNode = () => run(process.execPath, ['-e', '0']);
const sum = (all) => ({ milliseconds: Math.max(...all.map(({ milliseconds }) => milliseconds)), bytes: 0 });

const sections = {
  /** Starting, and finding nothing to do. */
  async start() {
    const samples = new Samples();
    const folder = (await writeMigrations(join(server.folder, 'start'), 15, ['ours']))('ours');
    const whole = join(project, 'migrations/dist/migrate.cjs');
    await server.fresh('bench');
    await ours(url, folder);
    for (let round = 0; round < rounds * 3; round++) {
      await samples.take('bare Node', bareNode);
      await samples.take('migrate --version', () =>
        run(process.execPath, [whole.replace('.cjs', '.start.cjs'), '--version']),
      );
      await samples.take('migrate --version, without compiled code', () =>
        run(process.execPath, [whole, '--version']),
      );
      await samples.take('migrate up, nothing to do, 15 applied', () => ours(url, folder));
    }
    section('Start', samples, 'bare Node');
  },

  /** Cold, again, and one more, for each tool. */
  async apply() {
    const lines = {};
    for (const size of [1, 10, 100, 1000].filter((size) => size <= most)) {
      const samples = { cold: new Samples(), noop: new Samples(), one: new Samples() };
      const formats = [...new Set(Object.values(contenders).map(({ format }) => format))];
      const turns = size >= 1000 ? Math.min(2, rounds) : rounds;
      for (let round = 0; round < turns; round++) {
        const folderOf = await writeMigrations(join(server.folder, `apply-${size}-${round}`), size, formats);
        for (const [name, contender] of Object.entries(contenders)) {
          if (size > (contender.most ?? most)) continue;
          const folder = folderOf(contender.format);
          await server.fresh('bench');
          await samples.cold.take(name, () => contender.run(url, folder, size));
          if (contender.limit) continue;
          await samples.noop.take('bare Node', bareNode);
          await samples.noop.take(name, () => contender.run(url, folder, size));
        }
        for (const [name, contender] of Object.entries(contenders)) {
          if (size > (contender.most ?? most) || contender.limit) continue;
          // A folder of its own, as the others count what they find.
          const own = await writeMigrations(
            join(server.folder, `one-${size}-${round}-${name.replaceAll(/\W/g, '')}`),
            size,
            [contender.format],
          );
          const folder = own(contender.format);
          await server.fresh('bench');
          await contender.run(url, folder, size);
          await writeMigration(folder, contender.format, size + 1);
          await samples.one.take(name, () => contender.run(url, folder, size + 1));
        }
      }
      section(`Apply ${size}`, samples.cold, 'psql -1');
      section(`Nothing to do, ${size} applied`, samples.noop, 'bare Node');
      section(`One pending of ${size + 1}`, samples.one, 'lockstep');
      for (const [name, { median }] of Object.entries(results.sections[`Apply ${size}`]))
        lines[name] = [...(lines[name] ?? []), [size, median]];
    }
    results.lines = lines;
  },

  /** Ten thousand, ours alone. */
  async large() {
    const samples = new Samples();
    const folder = (await writeMigrations(join(server.folder, 'large'), 10_000, ['ours']))('ours');
    for (const [name, settings] of [
      ['lockstep', {}],
      ['lockstep, development', development],
    ]) {
      await server.fresh('bench');
      await samples.take(`${name}, 10,000`, () => ours(url, folder, settings));
      await samples.take(`${name}, nothing to do, 10,000 applied`, () => ours(url, folder, settings));
      await samples.take(`${name}, status, 10,000 applied`, () => ours(url, folder, settings, ['status']));
    }
    section('Apply 10,000', samples);
  },

  /** Twenty processes on one database. */
  async racing() {
    const samples = new Samples();
    const folder = (await writeMigrations(join(server.folder, 'racing'), 100, ['ours']))('ours');
    for (let round = 0; round < rounds; round++) {
      await server.fresh('bench');
      await samples.take('one process, 100 migrations', () => ours(url, folder, development));
      await server.fresh('bench');
      await samples.take('20 processes at once, the last of them', async () =>
        sum(await Promise.all(Array.from({ length: 20 }, () => ours(url, folder, development)))),
      );
      const { rows } = await server.query(
        'select count(*)::int as n from schema_migrations_history',
        'bench',
      );
      if (rows[0].n !== 100) throw new Error(`${rows[0].n} rows of history, not 100`);
    }
    section('Racing', samples, 'one process, 100 migrations');
  },

  /** Two services at once, 15 migrations each. */
  async two() {
    const samples = new Samples();
    const folder = (await writeMigrations(join(server.folder, 'two'), 15, ['ours']))('ours');
    const at = (name) => ours(server.urlOf(name), folder, development);
    for (let round = 0; round < rounds; round++) {
      for (const name of ['bench', 'other']) await server.fresh(name);
      await samples.take('one service, 15 migrations', () => at('bench'));
      for (const name of ['bench', 'other']) await server.fresh(name);
      await samples.take('two services at once', async () =>
        sum(await Promise.all([at('bench'), at('other')])),
      );
    }
    section('Two services', samples, 'one service, 15 migrations');
  },

  /** Recreating: from nothing, from a template, and with another last migration. */
  async recreate() {
    for (const size of [1, 10, 100, 1000].filter((size) => size <= most)) {
      const samples = new Samples();
      const folder = (await writeMigrations(join(server.folder, `recreate-${size}`), size, ['ours']))('ours');
      const dev = { MIGRATION_ENVIRONMENT: 'development' };
      const again = (settings = {}) => ours(url, folder, { ...dev, ...settings }, ['recreate']);
      const last = join(folder, `${String(size).padStart(6, '0')}_step.up.sql`);
      const original = await readFile(last, 'utf8');
      const edited = (number) =>
        writeFile(last, `${original}comment on table t${size} is 'edit ${number}';\n`);
      // What the server still does for the run before.
      const settled = () => new Promise((resolve) => setTimeout(resolve, 2500));
      await server.fresh('bench');
      await ours(url, folder, dev);
      await edited(0);
      await ours(url, folder, dev);
      for (let round = 1; round <= Math.min(rounds, size >= 1000 ? 3 : rounds); round++) {
        await writeFile(last, original);
        for (let turn = 0; turn < 3; turn++) await again();
        await settled();
        await samples.take('bare Node', bareNode);
        await samples.take('the same migrations', () => again());
        await settled();
        await edited(round);
        await samples.take('another last migration', () => ours(url, folder, dev));
        await settled();
        await samples.take('from nothing (no templates)', () => again({ MIGRATION_TEMPLATE_SPACE: '0' }));
      }
      section(`Recreate ${size}`, samples, 'bare Node');
    }
  },

  /** Many databases of 100 migrations. */
  async fleet() {
    const samples = new Samples();
    const folder = (await writeMigrations(join(server.folder, 'fleet'), 100, ['ours']))('ours');
    await server.fresh('bench');
    const sizes = [1, 10, 100, 1000].filter((size) => size <= databases);
    let made = 0;
    for (const size of sizes) {
      for (; made < size; made++) await server.query(`create database tenant_${made}`);
      const list = join(server.folder, `tenants-${size}`);
      await writeFile(list, Array.from({ length: size }, (_, index) => `tenant_${index}\n`).join(''));
      const again = () =>
        ours(url, folder, { ...development, MIGRATION_TIMEOUT: '10m' }, [
          'up',
          '--databases',
          list,
          '--concurrency',
          '4',
        ]);
      const before = sizes[sizes.indexOf(size) - 1] ?? 0;
      const { milliseconds } = await samples.take(`${size} databases, ${size - before} of them new`, again);
      console.error(`${(((size - before) * 1000) / milliseconds).toFixed(1)} databases a second`);
      await samples.take(`${size} databases, nothing to do`, again);
    }
    section('Fleet, 100 migrations each, 4 at once', samples);
  },
};

try {
  await mkdir(server.folder, { recursive: true });
  console.log(
    `${results.machine}; Node ${results.node}; Postgres ${results.postgres}; load ${results.load.toFixed(2)}`,
  );
  for (const name of names.filter((name) => wanted.includes(name))) await sections[name]();
} finally {
  await server.stop();
}
if (values.write) {
  const { lines, ...kept } = results;
  const file = join(project, 'docs/performance.json');
  // Sections that were not measured now keep what they had.
  const before = await readFile(file, 'utf8').then(JSON.parse, () => ({ sections: {} }));
  kept.sections = { ...before.sections, ...kept.sections };
  await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`);
  const subtitle = `one table and one index each; medians of whole processes; Node ${results.node}, Postgres ${results.postgres}, ${cpus().length} cores`;
  if (lines !== undefined) await writeFile(join(project, 'docs/performance.svg'), chartOf(lines, subtitle));
}
