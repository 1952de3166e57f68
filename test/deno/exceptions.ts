// Checks that cannot hold on wgpu, each with the reason: the one place. None is known.

/** Reasons by `group: name`. */
export const exceptions: Readonly<Record<string, string>> = {};
