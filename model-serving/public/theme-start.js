// @ts-check
// Classic script that runs before the first paint: applies the theme that was chosen last time, if any.
{
  let chosen = null
  try {
    chosen = window.localStorage.getItem('theme')
  } catch {
    // Storage can be forbidden; then the system's preference holds.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen
}
