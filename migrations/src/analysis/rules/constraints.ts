import { addedColumns, addedConstraints, alterationsOf, columnOf, constraintOn } from '../alterations.ts';
import type { Rule } from '../rule.ts';
import { pick } from '../tree.ts';

export const constraintRules: readonly Rule[] = [
  {
    code: 'check-scans',
    severity: 'warning',
    message: '{} reads every row while nobody can use the table',
    reason:
      'ADD CONSTRAINT … CHECK takes an ACCESS EXCLUSIVE lock and keeps it while the whole table is read. NOT VALID adds it for new rows in an instant; VALIDATE CONSTRAINT then reads the old rows under a lock that stops nobody.',
    fix: 'add it NOT VALID, and VALIDATE CONSTRAINT in a migration of its own',
    risks: ['scans'],
    squawk: ['constraint-missing-not-valid'],
    bad: 'alter table orders add constraint orders_total_positive check (total > 0);',
    good: 'alter table orders add constraint orders_total_positive check (total > 0) not valid;',
    find: ({ tree, isNew }) => {
      const alterations = alterationsOf(tree, isNew);
      const alone = addedConstraints(alterations)
        .filter(
          ({ constraint }) => constraint.contype === 'CONSTR_CHECK' && constraint.skip_validation !== true,
        )
        .map(({ table, constraint }) => ({
          about: constraintOn(constraint, table),
          location: constraint.location,
        }));
      const withColumn = addedColumns(alterations)
        .filter(({ constraints }) => constraints.some(({ contype }) => contype === 'CONSTR_CHECK'))
        .map(({ table, name, column }) => ({
          about: `the CHECK of ${columnOf(name, table)}`,
          location: column.location,
        }));
      return [...alone, ...withColumn];
    },
  },
  {
    code: 'foreign-key-scans',
    severity: 'warning',
    message: '{} checks every row while writers of both tables wait',
    reason:
      'A foreign key locks both tables with SHARE ROW EXCLUSIVE while each row is looked up. NOT VALID adds it for new rows in an instant; VALIDATE CONSTRAINT then looks up the old ones and stops nobody.',
    fix: 'add it NOT VALID, and VALIDATE CONSTRAINT in a migration of its own',
    risks: ['scans'],
    squawk: ['adding-foreign-key-constraint', 'constraint-missing-not-valid'],
    bad: 'alter table orders add constraint orders_customer_fkey foreign key (customer_id) references customers (id);',
    good: 'alter table orders add constraint orders_customer_fkey foreign key (customer_id) references customers (id) not valid;',
    find: ({ tree, isNew }) => {
      const alterations = alterationsOf(tree, isNew);
      const alone = addedConstraints(alterations)
        .filter(
          ({ constraint }) => constraint.contype === 'CONSTR_FOREIGN' && constraint.skip_validation !== true,
        )
        .map(({ table, constraint }) => ({
          about: constraintOn(constraint, table),
          location: constraint.location,
        }));
      // Postgres need not look where a new column is null in every row.
      const withColumn = addedColumns(alterations)
        .filter(({ constraints }) => constraints.some(({ contype }) => contype === 'CONSTR_FOREIGN'))
        .filter(({ constraints }) => constraints.some(({ contype }) => contype === 'CONSTR_DEFAULT'))
        .map(({ table, name, column }) => ({ about: columnOf(name, table), location: column.location }));
      return [...alone, ...withColumn];
    },
  },
  {
    code: 'unique-builds-index',
    severity: 'warning',
    message: '{} builds its index while nobody can use the table',
    reason:
      'ADD CONSTRAINT … UNIQUE or PRIMARY KEY builds an index under an ACCESS EXCLUSIVE lock. An index built concurrently before becomes the constraint in an instant.',
    fix: 'CREATE UNIQUE INDEX CONCURRENTLY in a migration before, then ADD CONSTRAINT … USING INDEX',
    risks: ['scans'],
    squawk: ['disallowed-unique-constraint'],
    bad: 'alter table customers add constraint customers_email_unique unique (email);',
    good: 'alter table customers add constraint customers_email_unique unique using index customers_by_email;',
    find: ({ tree, isNew }) => {
      const alterations = alterationsOf(tree, isNew);
      const building = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY', 'CONSTR_EXCLUSION'];
      const alone = addedConstraints(alterations)
        .filter(
          ({ constraint }) =>
            building.includes(constraint.contype ?? '') && constraint.indexname === undefined,
        )
        .map(({ table, constraint }) => ({
          about: constraintOn(constraint, table),
          location: constraint.location,
        }));
      const withColumn = addedColumns(alterations)
        .filter(({ constraints }) => constraints.some(({ contype }) => building.includes(contype ?? '')))
        .map(({ table, name, column }) => ({ about: columnOf(name, table), location: column.location }));
      return [...alone, ...withColumn];
    },
  },
  {
    code: 'not-null-scans',
    severity: 'warning',
    message: 'that {} is not null is looked up in every row while nobody can use the table',
    reason:
      'SET NOT NULL, and a PRIMARY KEY of an index, take an ACCESS EXCLUSIVE lock and look at every row, unless the column is NOT NULL already or a valid CHECK (column IS NOT NULL) proves it; one that an earlier file made counts. And the running version of the app may still write nulls.',
    fix: 'ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT, then SET NOT NULL and drop the CHECK',
    risks: ['scans', 'breaks the running app'],
    squawk: ['adding-not-nullable-field'],
    bad: 'alter table orders alter column total set not null;',
    good: `alter table orders add constraint orders_total_there check (total is not null) not valid;
alter table orders validate constraint orders_total_there;
alter table orders alter column total set not null;`,
    find: ({ tree, isNew, facts }) => {
      const alterations = alterationsOf(tree, isNew);
      const declared = alterations
        .filter(({ subtype }) => subtype === 'AT_SetNotNull')
        .map(({ table, name }) => ({ table, column: name, location: undefined }));
      const keys = addedConstraints(alterations)
        .filter(({ constraint }) => constraint.contype === 'CONSTR_PRIMARY')
        .flatMap(({ table, constraint: { indexname = '', location } }) => {
          const columns = (facts.columnsOfIndex(indexname) ?? []).filter((column) => column !== undefined);
          return columns.map((column) => ({ table, column, location }));
        });
      return [...declared, ...keys]
        .filter(({ table, column }) => !facts.isNotNull(table, column))
        .map(({ table, column, location }) => ({ about: columnOf(column, table), location }));
    },
  },
  {
    code: 'validate-under-lock',
    severity: 'warning',
    message:
      '{} is validated in the transaction that added it, so the strong lock is kept while the rows are read',
    reason:
      'VALIDATE CONSTRAINT needs a weak lock only, but a migration is one transaction: the ACCESS EXCLUSIVE lock that ADD CONSTRAINT took is kept to its end.',
    fix: 'put VALIDATE CONSTRAINT into a migration of its own',
    risks: ['scans'],
    bad: `alter table orders add constraint orders_total_positive check (total > 0) not valid;
alter table orders validate constraint orders_total_positive;`,
    good: 'alter table orders validate constraint orders_total_positive;',
    find: ({ tree, isNew, before }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_ValidateConstraint')
        .filter(({ table, name }) =>
          before().some(({ tree: earlier }) =>
            addedConstraints(alterationsOf(earlier, () => false)).some(
              (added) => added.table === table && added.constraint.conname === name,
            ),
          ),
        )
        .map(({ table, name }) => ({ about: `${name} of ${table}` })),
  },
  {
    code: 'constraint-dropped',
    severity: 'notice',
    message:
      '{} is dropped: rows that break it can be written from then on, and cannot be taken back by adding it again',
    reason:
      'After a while without the constraint, the down file may fail on rows that were written meanwhile.',
    fix: 'see that no app relies on it; a foreign key also locks the table it refers to',
    risks: [],
    squawk: ['ban-drop-constraint'],
    bad: 'alter table orders drop constraint orders_total_positive;',
    good: 'alter table orders validate constraint orders_total_positive;',
    find: ({ tree, isNew, facts }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_DropConstraint')
        .filter(({ table, name }) => !facts.hasServed(table, name))
        .map(({ table, name }) => ({ about: `${name} of ${table}` })),
  },
  {
    code: 'domain-constraint',
    severity: 'warning',
    message: '{} is checked on every column of the domain, under a lock on each of their tables',
    reason:
      'A constraint of a domain is checked by reading every table with such a column, and cannot be changed for one table alone. NOT VALID spares the reading.',
    fix: 'a CHECK constraint on the table; on a domain at least NOT VALID, and ALTER DOMAIN … VALIDATE CONSTRAINT later',
    risks: ['scans'],
    squawk: ['ban-alter-domain-with-add-constraint', 'ban-create-domain-with-constraint'],
    bad: 'alter domain amount add constraint amount_positive check (value > 0);',
    good: 'alter domain amount add constraint amount_positive check (value > 0) not valid;',
    find: ({ tree }) => {
      const alter = pick(tree, 'AlterDomainStmt');
      const constraint = pick(alter?.def, 'Constraint');
      if (alter?.subtype !== 'C' || constraint?.skip_validation === true) return [];
      return [{ about: constraint?.conname ?? 'a constraint of the domain', location: constraint?.location }];
    },
  },
];
