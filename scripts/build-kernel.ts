// Assembles core/linear/kernel/kernel.wat into core/linear/kernel/kernel-binary.ts: `npm run build:kernel`. A test
// assembles it again and compares.
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import wabt from 'wabt'

const folder = resolve(import.meta.dirname, '../core/linear/kernel')

/** The generated module: the binary as base64. */
export async function kernelBinary (): Promise<string> {
  const { parseWat } = await wabt()
  const module = parseWat('kernel.wat', await readFile(`${folder}/kernel.wat`, 'utf8'), { simd: true })
  module.validate()
  const { buffer } = module.toBinary({})
  module.destroy()
  return `// Written by scripts/build-kernel.ts from kernel.wat; never edited by hand.\nexport const KERNEL_BINARY = '${
    Buffer.from(buffer).toString('base64')
  }'\n`
}

if (import.meta.filename === process.argv[1]) await writeFile(`${folder}/kernel-binary.ts`, await kernelBinary())
