// Takes a button, what the system prefers, and gives the page's theme, kept between visits; a word to who draws in its
// colours.

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const LABELS: Readonly<Record<Theme, string>> = {
  auto: 'Theme: same as the system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};
const KEY = 'nonlin-theme';

const listeners = new Set<() => void>();

/** Calls `listener` whenever colours change; returns how to stop that. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What a press leads to: from the system's theme to the other one, so that every press but the last is seen. */
function after(theme: Theme): Theme {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const round: readonly Theme[] = dark ? ['auto', 'light', 'dark'] : ['auto', 'dark', 'light'];
  return round[(round.indexOf(theme) + 1) % round.length] ?? 'auto';
}

/** Makes the button go round the themes. */
export function startTheme(button: HTMLButtonElement): void {
  let theme = THEMES.find((name) => name === stored()) ?? 'auto';
  const apply = () => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.setAttribute('aria-label', LABELS[theme]);
    button.title = LABELS[theme];
    button.dataset.theme = theme;
    for (const listener of listeners) listener();
  };
  button.addEventListener('click', () => {
    theme = after(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // no storage: the choice holds for this visit
    }
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** A colour of the style sheet, as a canvas understands it. */
export function colour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
