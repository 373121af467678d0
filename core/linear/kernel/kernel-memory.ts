// The single instance of kernel.wat and its memory, shared by all models of a thread: each WebAssembly memory reserves
// gigabytes of addresses, too many for one per model. A user claims the memory, lays out its arrays, computes, and
// reads the results before the next claim.
import { KERNEL_BINARY } from './kernel-binary.ts'

type Address = number

/** The functions of kernel.wat; arguments are addresses, strides in bytes, and counts ≥ 1 (blocks, directions ≥ 0). */
interface KernelFunctions {
  encode (x: Address, rowStride: number, stepStride: number, v: Address, vStride: number, z: Address, zStride: number,
    blocks: number, octets: number, channels: number, steps: number): void
  decode4 (x: Address, stepStride: number, mean: Address, v: Address, vStride: number, z: Address, zStride: number,
    directions: number, octets: number, r: Address, rStride: number, squares: Address): void
  decode1: KernelFunctions['decode4']
  accumulate (sums: Address, r: Address, rStride: number, quads: number): void
  tile (a: Address, b: Address, rows: number, out: Address, stride: number): void
  reduce: KernelFunctions['tile']
  centre(
    x: Address,
    stride: number,
    rows: number,
    number: number,
    mean: Address,
    departures: Address,
    shares: Address,
  ): void
  product(a: Address, stride: number, u: Address, p: Address, size: number): void
  update(a: Address, stride: number, u: Address, q: Address, size: number): void
  filter(x: Address, step: number, quads: number, bumps: Address, edges: Address): void
  extremes(x: Address, stride: number, quads: number, windows: number, out: Address, outStride: number): void
  encodeOne(x: Address, v: Address, vStride: number, z: Address, blocks: number, positions: number): void
  decodeOne(x: Address, mean: Address, v: Address, vStride: number, z: Address, directions: number, channels: number,
    channelStride: number, quads: number, r: Address): void
  residues(f: Address, windows: number, blocks: number, map: Address, mapStride: number, out: Address): void
}

interface KernelExports extends KernelFunctions {
  readonly memory: { readonly buffer: ArrayBuffer, grow (pages: number): number }
}

/** The part of WebAssembly in use; the compiler declares it only together with the browser's types. */
declare const WebAssembly: {
  Module: new (binary: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: unknown }
}

const PAGE = 65536
/** Bytes around each array that unaligned loads at its ends may read. */
const MARGIN = 64

const binary = Uint8Array.from(atob(KERNEL_BINARY), (character) => character.charCodeAt(0))
const kernel = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as KernelExports

export const kernelFunctions: KernelFunctions = kernel

let owner: object | undefined

/**
 * Claims the memory for arrays of the given sizes in bytes.
 * @returns their addresses, multiples of 16, the same for the same sizes; `kept`: the claimant also made the last
 * claim, so its arrays still hold their values
 */
export function claimMemory (claimant: object, sizes: readonly number[]): { addresses: Address[], kept: boolean } {
  const addresses = layOut(resident === 0 ? 0 : RESIDENT, sizes)
  const kept = owner === claimant
  owner = claimant
  return { addresses, kept }
}

/**
 * Lays arrays out one behind another, from an address on.
 * @returns their addresses, and the address behind the last
 */
function layOut (from: Address, sizes: readonly number[]): Address[] {
  let end = from + MARGIN
  const addresses = sizes.map((size) => {
    const address = end
    end += Math.ceil((size + MARGIN) / 16) * 16
    return address
  })
  const missing = end - kernel.memory.buffer.byteLength
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE))
  return [...addresses, end]
}

/** The bytes in front that residents share, from the first resident on. */
const RESIDENT = 1 << 22

/** Where the next resident goes; 0 before the first one. How often they all had to go. */
let resident = 0
let evictions = 0
const residents = new WeakMap<object, { readonly addresses: readonly Address[], readonly since: number }>()

/**
 * Keeps arrays in the memory beside those of claims, for users that come again and again with little to compute. When
 * there is no room for a new resident, all others go.
 * @param fill called with the addresses when the arrays have no values yet
 * @returns their addresses; undefined if there is never room for them
 */
export function reside<User extends object, Addresses extends readonly Address[]> (
  user: User,
  sizes: (user: User) => readonly number[],
  fill: (user: User, addresses: Addresses) => void
): Addresses | undefined {
  const found = residents.get(user)
  if (found?.since === evictions) return found.addresses as readonly Address[] as Addresses
  const wanted = sizes(user)
  const room = wanted.reduce((sum, size) => sum + size + 2 * MARGIN, 2 * MARGIN)
  if (room > RESIDENT) return undefined
  if (resident + room > RESIDENT) {
    evictions++
    resident = 0
  }
  // The arrays of a claim may lie where residents begin.
  if (resident === 0) owner = undefined
  const addresses = layOut(resident, wanted) as readonly Address[] as Addresses
  resident = addresses.at(-1)!
  residents.set(user, { addresses, since: evictions })
  fill(user, addresses)
  return addresses
}

/** A view of `length` numbers at an address, valid until the next claim. */
export const float32At = (address: Address, length: number): Float32Array =>
  new Float32Array(kernel.memory.buffer, address, length)
export const float64At = (address: Address, length: number): Float64Array =>
  new Float64Array(kernel.memory.buffer, address, length)
