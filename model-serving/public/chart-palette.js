// @ts-check
// Colours of the plots in light and dark: Okabe and Ito's blue, vermilion and purple, which colour-blind people tell
// apart.

/** @typedef {import('./types.d.ts').Palette} Palette */

/** @type {Readonly<Record<'light' | 'dark', Palette>>} */
const PALETTES = {
  light: {
    background: '#ffffff',
    text: '#1c2733',
    muted: '#566370',
    line: '#c3ccd5',
    grid: '#e9edf1',
    well: '#f6f8fa',
    observed: '#0b63a5',
    expected: '#5d6b78',
    band: 'rgba(86, 125, 160, 0.22)',
    score: '#34424f',
    alarm: '#c04a00',
    excess: 'rgba(213, 94, 0, 0.45)',
    noExcess: 'rgba(213, 94, 0, 0)',
    anomaly: 'rgba(213, 94, 0, 0.13)',
    imputed: '#8a3ea3',
    ramp: ['#fdeee0', '#fbd8b8', '#f8bb88', '#f19a57', '#e07a2d', '#bf5a10', '#933f06', '#632803'],
  },
  dark: {
    background: '#161b21',
    text: '#e7ecf1',
    muted: '#a5b1bd',
    line: '#46525e',
    grid: '#262e37',
    well: '#1b2128',
    observed: '#6cb8f6',
    expected: '#b4c0cb',
    band: 'rgba(130, 165, 195, 0.26)',
    score: '#d3dbe3',
    alarm: '#ff9d57',
    excess: 'rgba(255, 140, 60, 0.5)',
    noExcess: 'rgba(255, 140, 60, 0)',
    anomaly: 'rgba(255, 140, 60, 0.17)',
    imputed: '#dba6f2',
    ramp: ['#2c231c', '#48301f', '#6a4122', '#8f5524', '#b66c29', '#dc8a3c', '#f8b06c', '#ffdcb8'],
  },
}

/** @param {'light' | 'dark' | undefined} theme */
export function paletteOf (theme) {
  return PALETTES[theme ?? 'light']
}
