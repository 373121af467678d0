// A headless Chromium for tests of pages.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATHS = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** @throws Error with the remedy if there is no Chromium */
export async function launchChromium (): Promise<Browser> {
  const executablePath = PATHS.find((path) => path !== undefined && path !== '' && existsSync(path))
  if (executablePath === undefined) {
    throw new Error('There is no Chromium; run scripts/setup-chromium.sh, or set CHROMIUM_PATH')
  }
  return chromium.launch({ executablePath, args: FLAGS })
}
