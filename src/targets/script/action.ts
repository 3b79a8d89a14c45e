/** The actions of Sesame: why a script is called. The ones that carry passwords are taken from a `config.yml`, but never sent yet. */
export const actions = [
  'IDENTITY_CREATE',
  'IDENTITY_UPDATE',
  'IDENTITY_DELETE',
  'IDENTITY_ENABLE',
  'IDENTITY_DISABLE',
  'IDENTITY_LIFECYCLE_CHANGED',
  'IDENTITY_PASSWORD_CHANGE',
  'IDENTITY_PASSWORD_RESET',
  'PING_TARGET',
] as const;

export type Action = (typeof actions)[number];
