// Recognises files that are not text by their first bytes, so that the error can name the format.
import { Problem } from '../../../core/errors.ts'

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0))

/** First bytes and the format that begins with them. */
const KINDS: ReadonlyArray<readonly [readonly number[], string]> = [
  [[0x1f, 0x8b], 'a gzip file within a gzip file'],
  [ascii('PK\x03\x04'), 'a ZIP archive, or a workbook of a spreadsheet program'],
  [ascii('PK\x05\x06'), 'an empty ZIP archive'],
  [[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], 'an old Office document, such as an .xls workbook'],
  [ascii('PAR1'), 'a Parquet file'],
  [ascii('ARROW1'), 'an Arrow or Feather file'],
  [ascii('Obj\x01'), 'an Avro file'],
  [[0x89, 0x48, 0x44, 0x46], 'an HDF5 file, as MATLAB and netCDF write them'],
  [ascii('CDF\x01'), 'a netCDF file'],
  [ascii('MATLAB 5.0 MAT-file'), 'a MATLAB file'],
  [ascii('SQLite format 3'), 'an SQLite database'],
  [[0x93, ...ascii('NUMPY')], 'a NumPy array'],
  [[0x89, ...ascii('PNG')], 'a PNG picture'],
  [[0xff, 0xd8, 0xff], 'a JPEG picture'],
  [ascii('GIF8'), 'a GIF picture'],
  [ascii('%PDF-'), 'a PDF document'],
  [ascii('RIFF'), 'a sound, video or picture (RIFF)'],
  [ascii('OggS'), 'a sound (Ogg)'],
  [ascii('ID3'), 'a sound (MP3)'],
  [ascii('BZh'), 'a bzip2 file'],
  [[0xfd, ...ascii('7zXZ')], 'an xz file'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard file'],
  [[...ascii('7z'), 0xbc, 0xaf], 'a 7-Zip archive'],
  [ascii('Rar!'), 'a RAR archive'],
  [ascii('{\\rtf'), 'an RTF document'],
]

/**
 * If a format is marked by letters alone, one of these first bytes must be a control character: a table's header may
 * also begin with `ID3`.
 */
const LOOKED_AT = 64

/** Control characters that text does not have: all but white space, escape, separators and the end-of-file mark. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000e-\u0019\u007f]/

/** @throws Problem invalid-table that names the format */
export function refuseOtherKinds (bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, LOOKED_AT)).toString('latin1')
  const kind = KINDS.find(([magic]) =>
    magic.every((byte, i) => bytes[i] === byte) && (!/^\w+$/.test(start.slice(0, magic.length)) || CONTROL.test(start))
  )
  if (kind !== undefined) throw noTable(kind[1])
}

/** Binary files have a control character among their first characters. */
const SEARCHED = 65_536

/** @throws Problem invalid-table if the text is binary, HTML or XML */
export function refuseOtherTexts (text: string): void {
  if (text.includes('\0') || CONTROL.test(text.slice(0, SEARCHED))) throw noTable('binary')
  if (/^\s*<[?!a-z]/i.test(text)) throw noTable('an HTML or XML document')
}

const noTable = (what: string): Problem =>
  new Problem(
    'invalid-table',
    `The file is ${what}, not a table; send the series as text, CSV or JSON, plain or compressed with gzip.`
  )
