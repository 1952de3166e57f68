// Takes an id and the class expected, and gives that element of the page, or an error that names it.

/** The element with that id. */
export function byId<E extends Element>(id: string, Class: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof Class)) throw new Error(`no ${Class.name} with the id "${id}"`);
  return element;
}
