// Takes the code of an address, packed, and says whether the person has written it, or let it run, in this tab: then it runs by
// itself after a reload.

const KEY = 'nonlin-own';

export function isTrusted(packed: string): boolean {
  try {
    return packed !== '' && sessionStorage.getItem(KEY) === packed;
  } catch {
    // no storage: the person is asked again
    return false;
  }
}

export function trust(packed: string): void {
  try {
    sessionStorage.setItem(KEY, packed);
  } catch {
    // as above
  }
}
