import { askedByFile } from '../../sql/no-transaction.ts';
import { type Alteration, alterationsOf } from '../alterations.ts';
import { locksOf } from '../locks.ts';
import type { Rule } from '../rule.ts';
import { droppedNames, isSwitchedOn, nameOf, pick, type Tree, wordsOf } from '../tree.ts';

/** Rules about whole tables, about rights, and about what lies beyond the database. */
export const wholeRules: readonly Rule[] = [
  {
    code: 'table-rewritten',
    severity: 'warning',
    message: '{} is written anew from end to end while nobody can use it',
    reason:
      'CLUSTER, VACUUM FULL, SET LOGGED, SET UNLOGGED, SET ACCESS METHOD and SET TABLESPACE copy the whole table under an ACCESS EXCLUSIVE lock.',
    fix: 'pg_repack or a maintenance window; for a tablespace, a new table',
    risks: ['rewrites'],
    squawk: ['prefer-repack'],
    bad: 'cluster orders using orders_by_customer;',
    good: 'analyze orders;',
    find: ({ tree, isNew }) => {
      const cluster = pick(tree, 'ClusterStmt');
      if (cluster !== undefined)
        return [{ about: cluster.relation === undefined ? 'every table' : nameOf(cluster.relation) }];
      const vacuum = pick(tree, 'VacuumStmt');
      if (isSwitchedOn(vacuum?.options, 'full')) {
        const rels = (vacuum?.rels ?? []).map((relation) =>
          nameOf(pick(relation, 'VacuumRelation')?.relation),
        );
        return (rels.length === 0 ? ['every table'] : rels).map((about) => ({ about }));
      }
      const copying = ['AT_SetLogged', 'AT_SetUnLogged', 'AT_SetAccessMethod', 'AT_SetTableSpace'];
      return alterationsOf(tree, isNew)
        .filter(({ subtype }) => copying.includes(subtype))
        .map(({ table }) => ({ about: table }));
    },
  },
  {
    code: 'lock-taken',
    severity: 'notice',
    message: '{} is locked by name, to the end of the migration',
    reason:
      'LOCK TABLE holds back everybody its mode conflicts with until the migration commits, however long its other statements take.',
    fix: 'let each statement take the lock it needs',
    risks: [],
    bad: 'lock table orders in access exclusive mode;',
    good: 'select 1;',
    find: ({ tree, isNew }) =>
      (pick(tree, 'LockStmt')?.relations ?? [])
        .map((relation) => nameOf(pick(relation, 'RangeVar')))
        .filter((table) => !isNew(table))
        .map((about) => ({ about })),
  },
  {
    code: 'work-under-lock',
    severity: 'warning',
    message: '{} stays locked, also against readers, while this statement works',
    reason:
      'What takes an ACCESS EXCLUSIVE lock, such as ALTER TABLE, keeps it to the end of the migration. A statement after it that reads or writes many rows holds everybody back for as long.',
    fix: 'a migration of its own for one of the two',
    risks: [],
    bad: `alter table orders add column currency text;
update orders set currency = 'EUR' where currency is null;`,
    good: "update orders set currency = 'EUR' where currency is null;",
    find: ({ statement, tree, isNew, before }) => {
      if (statement.outsideTransaction !== undefined || !isLongWork(tree, isNew)) return [];
      const locked = before()
        .flatMap(({ tree: earlier }) => locksOf(earlier))
        .filter(({ table, mode }) => mode === 'ACCESS EXCLUSIVE' && !isNew(table))
        .map(({ table }) => table);
      const tables = [...new Set(locked)];
      return tables.length === 0 ? [] : [{ about: tables.join(', ') }];
    },
  },
  {
    code: 'alters-apart',
    severity: 'notice',
    message: '{} is altered by the statement before as well: one ALTER TABLE can do both',
    reason:
      'Each ALTER TABLE queues for its lock, and each that reads or rewrites the table does so by itself. The parts of one statement share the lock and the pass over the rows.',
    fix: 'put both parts into one ALTER TABLE, with a comma between',
    risks: [],
    bad: `alter table orders add column currency text;
alter table orders add column note text;`,
    good: 'alter table orders add column currency text, add column note text;',
    find: ({ tree, isNew, before }) => {
      const mine = alterationsOf(tree, isNew);
      const earlier = alterationsOf(before().at(-1)?.tree ?? tree, isNew);
      if (before().length === 0 || mine[0] === undefined || mine[0].table !== earlier[0]?.table) return [];
      const isApart = ({ subtype }: Alteration) => /ValidateConstraint|tachPartition/.test(subtype);
      // Two changes of one column follow each other: in one statement the second would not see the first.
      const nameIn = ({ name, command }: Alteration) => pick(command.def, 'ColumnDef')?.colname ?? name;
      const names = new Set(earlier.map(nameIn));
      const cannot = [...mine, ...earlier].some(isApart) || mine.some((one) => names.has(nameIn(one)));
      return cannot ? [] : [{ about: mine[0].table }];
    },
  },
  {
    code: 'trigger-added',
    severity: 'notice',
    message: '{} runs in every write of the running app from then on',
    reason:
      'A trigger on a table in use works in the transactions of every version of the app: what it refuses or changes, and how long it takes, the running version has not been tested with. Making it waits for every writer.',
    fix: 'try it with the version that runs, and measure a write with it',
    risks: [],
    bad: 'create trigger orders_totals after insert on orders for each row execute function add_total();',
    good: 'create function add_total() returns trigger language plpgsql as $$ begin return new; end $$;',
    find: ({ tree, isNew }) => {
      const trigger = pick(tree, 'CreateTrigStmt');
      const table = nameOf(trigger?.relation);
      return trigger === undefined || isNew(table) ? [] : [{ about: `${trigger.trigname} of ${table}` }];
    },
  },
  {
    code: 'publication-dropped',
    severity: 'warning',
    message: '{} ends: subscribers get no further changes, and are told nothing',
    reason:
      'A dropped publication, or a table taken out of one, is missed elsewhere: in another database, a warehouse, a search index. What was written meanwhile is not sent later.',
    fix: 'agree on it with whoever subscribes',
    risks: [],
    bad: 'drop publication orders_feed;',
    good: 'create publication orders_feed for table orders;',
    find: ({ tree }) => {
      const drop = pick(tree, 'DropStmt');
      const altered = pick(tree, 'AlterPublicationStmt');
      const subscription = pick(tree, 'DropSubscriptionStmt')?.subname;
      return [
        ...(drop?.removeType === 'OBJECT_PUBLICATION'
          ? droppedNames(drop.objects).map((name) => `the publication ${name.join('.')}`)
          : []),
        ...(altered?.action === 'AP_DropObjects' ? [`a part of the publication ${altered.pubname}`] : []),
        ...(subscription === undefined ? [] : [`the subscription ${subscription}`]),
      ].map((about) => ({ about }));
    },
  },
  {
    code: 'matview-refresh-blocks',
    severity: 'warning',
    message: '{} cannot be read while it is refreshed',
    reason: 'REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock while its whole query runs.',
    fix: 'REFRESH MATERIALIZED VIEW CONCURRENTLY (it needs a unique index), outside a migration',
    risks: ['scans'],
    bad: 'refresh materialized view order_totals;',
    good: 'refresh materialized view concurrently order_totals;',
    find: ({ tree, isNew }) => {
      const refresh = pick(tree, 'RefreshMatViewStmt');
      if (refresh === undefined || refresh.concurrent === true || refresh.skipData === true) return [];
      return isNew(nameOf(refresh.relation)) ? [] : [{ about: nameOf(refresh.relation) }];
    },
  },
  {
    code: 'trigger-disabled',
    severity: 'warning',
    message: 'triggers of {} are switched off, with what they guarantee, also for the running app',
    reason:
      'DISABLE TRIGGER is for everybody, not for the migration alone: rows the app writes meanwhile miss the trigger, foreign keys included where ALL is said.',
    fix: 'set local session_replication_role = replica, where the role may; or a trigger that looks at a setting of its own',
    risks: ['breaks the running app'],
    squawk: ['ban-disable-trigger'],
    bad: 'alter table orders disable trigger all;',
    good: 'alter table orders enable trigger orders_totals;',
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => /^AT_Disable(Trig|Rule)/.test(subtype))
        .map(({ table }) => ({ about: table })),
  },
  {
    code: 'replica-identity',
    severity: 'warning',
    message: 'what {} sends to logical replicas changes',
    reason:
      'REPLICA IDENTITY decides which columns a subscriber gets to find the row: NOTHING stops updates from being published, FULL writes every old row to the log.',
    fix: 'agree on it with whoever reads the publication',
    risks: [],
    squawk: ['ban-replica-identity'],
    bad: 'alter table orders replica identity full;',
    good: "comment on table orders is 'published';",
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_ReplicaIdentity')
        .map(({ table }) => ({ about: table })),
  },
  {
    code: 'rights-taken',
    severity: 'warning',
    message: '{}: the running version of the app may need the right that is taken',
    reason: 'After a REVOKE each query that needs the right fails.',
    fix: 'deploy an app that does without first',
    risks: ['breaks the running app'],
    squawk: ['ban-revoke'],
    bad: 'revoke select on orders from reporting;',
    good: 'grant select on orders to reporting;',
    find: ({ tree }) => {
      const objects = pick(tree, 'GrantStmt');
      const roles = pick(tree, 'GrantRoleStmt');
      const taken = objects?.is_grant === undefined && objects !== undefined;
      const left = roles?.is_grant === undefined && roles !== undefined;
      return taken || left ? [{ about: 'REVOKE' }] : [];
    },
  },
  {
    code: 'row-security-changed',
    severity: 'warning',
    message: 'which rows of {} each role sees changes at once',
    reason:
      'Enabling row level security without a policy hides every row from all but the owner; a new or dropped policy changes what the running app sees.',
    fix: 'policies first, then ENABLE ROW LEVEL SECURITY; try it as the role of the app',
    risks: ['breaks the running app'],
    squawk: [
      'ban-alter-row-level-security',
      'ban-create-policy',
      'ban-drop-policy',
      'ban-alter-policy-condition',
      'ban-alter-policy-roles',
      'ban-new-write-restriction',
    ],
    bad: 'alter table orders enable row level security;',
    good: 'grant select on orders to reporting;',
    find: ({ tree, isNew }) => {
      const policy = pick(tree, 'CreatePolicyStmt') ?? pick(tree, 'AlterPolicyStmt');
      const drop = pick(tree, 'DropStmt');
      const tables = [
        ...(policy === undefined ? [] : [nameOf(policy.table)]),
        ...(drop?.removeType === 'OBJECT_POLICY'
          ? (drop.objects ?? []).map((object) => wordsOf(pick(object, 'List')?.items).slice(0, -1).join('.'))
          : []),
        ...alterationsOf(tree, isNew)
          .filter(({ subtype }) => /RowSecurity$/.test(subtype))
          .map(({ table }) => table),
      ];
      return tables.filter((table) => !isNew(table)).map((about) => ({ about }));
    },
  },
  {
    code: 'beyond-database',
    severity: 'warning',
    message: '{} is shared by every database of the server, and in no other environment the same',
    reason:
      'Roles, databases, tablespaces and server settings are not part of a schema: two services on one server clash, a recreate does not undo them, and the migrating role should not have the rights.',
    fix: 'make them where the server is set up (here: vault bootstrap makes roles and databases)',
    risks: [],
    squawk: ['ban-alter-system-options', 'ban-alter-database-options', 'ban-alter-role-options'],
    bad: 'alter system set work_mem = 1024;',
    good: 'set local work_mem = 1024;',
    find: ({ tree }) => {
      const kinds = {
        AlterSystemStmt: 'a setting of the server',
        AlterDatabaseSetStmt: 'a setting of a database',
        AlterDatabaseStmt: 'a database',
        CreatedbStmt: 'a database',
        CreateRoleStmt: 'a role',
        AlterRoleStmt: 'a role',
        AlterRoleSetStmt: 'a setting of a role',
        DropRoleStmt: 'a role',
        CreateTableSpaceStmt: 'a tablespace',
      };
      return Object.entries(kinds)
        .filter(([kind]) => kind in tree)
        .map(([, about]) => ({ about }));
    },
  },
  {
    code: 'extension-changed',
    severity: 'notice',
    message: 'the extension {} is changed to what this server happens to have',
    reason:
      'ALTER EXTENSION … UPDATE without a version takes the newest one the server has installed, which differs between environments.',
    fix: "name the version: alter extension … update to '1.3'",
    risks: [],
    squawk: ['ban-alter-extension'],
    bad: 'alter extension pg_trgm update;',
    good: "alter extension pg_trgm update to '1.6';",
    find: ({ tree }) => {
      const alter = pick(tree, 'AlterExtensionStmt');
      const named = (alter?.options ?? []).some(
        (option) => pick(option, 'DefElem')?.defname === 'new_version',
      );
      return alter === undefined || named ? [] : [{ about: alter.extname ?? 'an extension' }];
    },
  },
  {
    code: 'code-not-read',
    severity: 'notice',
    message: '{} runs code that is not read here',
    reason:
      'What a DO block or a procedure does is not judged by any rule: no lock, no loss of it is shown before it runs. `migrate rehearse` shows what it did on a copy.',
    fix: 'plain SQL where it can say the same; else migrate rehearse',
    risks: ['cannot be read'],
    bad: 'do $$ begin perform 1; end $$;',
    good: 'select 1;',
    find: ({ tree }) => {
      if (pick(tree, 'DoStmt') !== undefined) return [{ about: 'DO' }];
      return pick(tree, 'CallStmt') !== undefined ? [{ about: 'CALL' }] : [];
    },
  },
  {
    code: 'alone-in-file',
    severity: 'warning',
    message:
      '{} cannot run in the transaction of the other statements, so a failure leaves this file half done',
    reason:
      'A statement that Postgres refuses inside a transaction runs alone, and what is before and after it in the file is committed apart. When one of them fails, the database is dirty.',
    fix: 'a migration of its own for it',
    risks: [],
    squawk: [
      'ban-concurrent-index-creation-in-transaction',
      'transaction-nesting',
      'ban-uncommitted-transaction',
    ],
    bad: `alter table orders add column note text;
create index concurrently orders_by_note on orders (note);`,
    good: 'create index concurrently orders_by_note on orders (note);',
    find: ({ statement, statements }) =>
      // A file that asks for no transaction says so itself.
      statement.outsideTransaction === undefined ||
      statement.outsideTransaction === askedByFile ||
      statements === 1
        ? []
        : [{ about: statement.outsideTransaction }],
  },
];

/** Whether a statement reads or writes many rows: an INSERT of VALUES does not. */
function isLongWork(tree: Tree, isNew: (table: string) => boolean): boolean {
  const insert = pick(tree, 'InsertStmt');
  if (insert !== undefined) return (pick(insert.selectStmt, 'SelectStmt')?.valuesLists ?? []).length === 0;
  const index = pick(tree, 'IndexStmt');
  if (index !== undefined) return !isNew(nameOf(index.relation));
  const kinds = [
    'UpdateStmt',
    'DeleteStmt',
    'MergeStmt',
    'RefreshMatViewStmt',
    'CreateTableAsStmt',
    'CopyStmt',
  ];
  return kinds.some((kind) => kind in tree);
}
