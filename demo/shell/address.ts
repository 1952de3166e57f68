// Takes the part of the page's address after `#`, and gives which view it names and that view's parameters, both ways.

export const VIEW_NAMES = ['functions', 'losses', 'train', 'accuracy', 'benchmark'] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

export interface Address {
  readonly view: ViewName;
  readonly params: URLSearchParams;
}

/** `#/train?task=spirals`; anything else is the first view. A query before the `#` names settings of a training run. */
export function parseAddress(hash: string, search = ''): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const view = VIEW_NAMES.find((name) => name === path.toLowerCase());
  if (view) return { view, params: new URLSearchParams(query) };
  const params = new URLSearchParams(search);
  return { view: params.size > 0 ? 'train' : VIEW_NAMES[0], params };
}

/** The hash of an address; parameters in their order, an empty query left out. */
export function formatAddress({ view, params }: Address): string {
  // commas and colons are legal in a fragment, and easier to read
  const query = params.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return `#/${view}${query === '' ? '' : `?${query}`}`;
}
