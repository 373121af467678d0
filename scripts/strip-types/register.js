// For tests: `node --import=./scripts/strip-types/register.js FILE.ts` runs TypeScript with its types blanked out.
// A small test file needs a fifth of the CPU that it needs with ts-node (bench/RESULTS.md). Lines and columns stay
// where they are, so coverage needs no source map. tap switches source maps on: Node would parse those of packages,
// megabytes for TensorFlow.js alone.
import { register } from 'node:module'

register('./hooks.js', import.meta.url)
process.setSourceMapsEnabled(false)
