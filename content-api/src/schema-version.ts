/** The newest migration that this code relies on: the app does not listen on an older schema. */
export const requiredSchemaVersion = 15n;
