// Assembles core/linear/kernel/kernel.wat into core/linear/kernel/kernel-binary.ts: `npm run build:kernel`. A test
// assembles it again and compares.
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import wabt from 'wabt'

const folder = resolve(import.meta.dirname, '../core/linear/kernel')

/** Characters of base64 in a line. */
const LINE = 116

/** The generated module: the binary as base64, whose line breaks atob() ignores. */
export async function kernelBinary (): Promise<string> {
  const { parseWat } = await wabt()
  const module = parseWat('kernel.wat', await readFile(`${folder}/kernel.wat`, 'utf8'), { simd: true })
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  const lines = Buffer.from(buffer).toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g'))!.join('\n')
  return '// Written by scripts/build-kernel.ts from kernel.wat; never edited by hand.\n' +
    `export const KERNEL_BINARY = \`\n${lines}\n\`\n`
}

if (import.meta.filename === process.argv[1]) await writeFile(`${folder}/kernel-binary.ts`, await kernelBinary())
