// Takes the part of the page's address after `#`, and gives which view it names and that view's parameters, both ways.

/** The first is what an address without a name shows. */
export const VIEW_NAMES = [
  'home',
  'functions',
  'losses',
  'train',
  'write',
  'own',
  'accuracy',
  'gpu',
  'benchmark',
] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

export interface Address {
  readonly view: ViewName;
  readonly params: URLSearchParams;
}

/** `#/train?task=spirals`; what names no view is the first one. A query before the `#` names settings of a training run. */
export function parseAddress(hash: string, search = ''): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const view = VIEW_NAMES.find((name) => name === path.toLowerCase());
  if (view) return { view, params: new URLSearchParams(query) };
  if (path === '' && query !== '')
    return { view: VIEW_NAMES[0], params: new URLSearchParams(query) };
  const params = new URLSearchParams(search);
  return { view: params.size > 0 ? 'train' : VIEW_NAMES[0], params };
}

/** The hash of an address; parameters in their order, an empty query left out. */
export function formatAddress({ view, params }: Address): string {
  // commas and colons are legal in a fragment, and easier to read
  const query = params.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  const path = view === VIEW_NAMES[0] ? '' : view;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}
