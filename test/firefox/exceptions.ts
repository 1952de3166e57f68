// Checks that cannot hold in Firefox, each with the reason: the one place. None is known.

/** Reasons by `group: name`. */
export const exceptions: Readonly<Record<string, string>> = {};
