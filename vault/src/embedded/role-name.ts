import type { AppRoleStore, Role } from './approle.ts';
import { ApiRefusal } from './refusal.ts';
import { type Call, param } from './routes.ts';

const roleName = /^\w(?:[\w.-]{0,126}\w)?$/;

/** The role's name from the path, in lower case: Vault takes any case and keeps lower. */
export function nameOf(call: Call): string {
  const name = param(call, 'role');
  if (!roleName.test(name)) {
    throw new ApiRefusal(
      400,
      `invalid role name ${JSON.stringify(name)}: letters, digits, "_", "-" and "." only`,
    );
  }
  return name.toLowerCase();
}

/** The role named by the path, or a refusal with 404. */
export function roleOf(store: AppRoleStore, call: Call): Role {
  const name = nameOf(call);
  const role = store.role(name);
  if (role === undefined) throw new ApiRefusal(404, `role ${JSON.stringify(name)} does not exist`);
  return role;
}
