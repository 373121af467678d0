// Which ways lead to the native addon on which machine, in the order they are tried; does nothing itself.

export type Mode = 'auto' | 'upstream' | 'wheel'
export type Route = 'upstream' | 'wheel'

export function isMode (text: string): text is Mode {
  return text === 'auto' || text === 'upstream' || text === 'wheel'
}

/**
 * Routes to try, best first; the wheel holds a library for Linux on x64 alone, and once it is `cached` nothing else
 * needs to be asked.
 */
export function routesOf (mode: Mode, platform: string, arch: string, cached: boolean): readonly Route[] {
  const wheelFits = platform === 'linux' && arch === 'x64'
  if (mode === 'upstream') return ['upstream']
  if (mode === 'auto' && !wheelFits) return ['upstream']
  if (mode === 'auto' && !cached) return ['upstream', 'wheel']
  if (wheelFits) return ['wheel']
  throw new Error(
    `The wheel route is for linux x64, this is ${platform} ${arch}. Use TFJS_NATIVE=upstream, or stay on WASM.`
  )
}
