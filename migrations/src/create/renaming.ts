import type { Template } from './template.ts';

/** The function and the trigger that hold both names of a column the same, whichever an app writes. */
const keepInStep = `create function {{function}}() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    new.{{to}} := coalesce(new.{{to}}, new.{{column}});
    new.{{column}} := new.{{to}};
  elsif new.{{to}} is distinct from old.{{to}} then
    new.{{column}} := new.{{to}};
  else
    new.{{to}} := new.{{column}};
  end if;
  return new;
end
$$;

create trigger {{trigger}}
  before insert or update on {{table}}
  for each row execute function {{function}}();
`;

/** Expand, fill, contract: an app of the old version and one of the new work at each moment but after the last. */
export const renaming: readonly Template[] = [
  {
    name: 'rename-expand',
    suffix: '_expand',
    up: `-- {{purpose}}
-- Expand: both names are there and hold the same, whichever an app writes. Deploy apps that use {{to}} after it.
alter table {{table}} add column {{to}} {{type}};

${keepInStep}`,
    down: `drop trigger {{trigger}} on {{table}};

drop function {{function}}();

alter table {{table}} drop column {{to}};
`,
  },
  {
    name: 'rename-fill',
    suffix: '_fill',
    up: '-- The trigger copies the old name of each row to the new one.\nupdate {{table}} set {{column}} = {{column}}\nwhere {{to}} is distinct from {{column}};\n',
    down: '-- Both names hold the same, so nothing is taken back.\n',
  },
  {
    name: 'rename-contract',
    suffix: '_contract',
    up: `-- Contract: apply it when no app of the old version runs any more.
-- lockstep: allow drop-object: every app writes {{to}}
drop trigger {{trigger}} on {{table}};

-- lockstep: allow drop-object: only the trigger used it
drop function {{function}}();

-- lockstep: allow drop-column: {{to}} holds the same, and every app uses that
alter table {{table}} drop column {{column}};
`,
    down: `alter table {{table}} add column {{column}} {{type}};

update {{table}} set {{column}} = {{to}};

${keepInStep}`,
  },
];
