// Takes values that a browser can copy, and gives them back to the same tab after a reload.

const DATABASE = 'nonlin';
const STORE = 'runs';
/** Which of the stored values are this tab's. */
const TAB_KEY = 'nonlin-run';

/** A place for one value. What cannot be stored, for want of storage or room, is an error. */
export class TabStore {
  readonly #name: string;

  /** Places of different names are apart. */
  constructor(name: string) {
    this.#name = name;
  }

  /** undefined: none. */
  async put(value: unknown): Promise<void> {
    const tab = (sessionStorage[TAB_KEY] ??= crypto.randomUUID()) as string;
    const key = this.#keyOf(tab);
    await request('readwrite', (values) =>
      value === undefined ? settled(values.delete(key)) : settled(values.put(value, key)),
    );
  }

  /** What was put last; undefined where there is nothing. */
  async get(): Promise<unknown> {
    const tab: unknown = sessionStorage[TAB_KEY];
    if (typeof tab !== 'string') return undefined;
    return request('readonly', (values) => settled(values.get(this.#keyOf(tab))));
  }

  #keyOf(tab: string): string {
    return `${tab} ${this.#name}`;
  }
}

async function request(
  mode: IDBTransactionMode,
  ask: (values: IDBObjectStore) => Promise<unknown>,
): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    return await ask(database.transaction(STORE, mode).objectStore(STORE));
  } finally {
    database.close();
  }
}

function settled<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('no storage'));
  });
}
