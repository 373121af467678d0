// For tests: `node --import=./scripts/strip-types/register.js FILE.ts` runs TypeScript with its types blanked out.
// A test process starts in a third of the time that ts-node takes, and lines and columns stay where they are, so that
// coverage needs no source map.
import { register } from 'node:module'

register('./hooks.js', import.meta.url)
