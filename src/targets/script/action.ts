/** The actions of Sesame: why a script is called. The two of passwords go out when one is handed over (`staffetta.set_password`). */
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
