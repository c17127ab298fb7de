/**
 * Judges messages by the OpenAPI files of 3GPP and CAMARA, with ajv. The files lie beside the project,
 * not in it; `missing` says so where they do not. Files outside of the set are not judged: what they
 * would describe may be anything.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

const SHARED = join(import.meta.dirname, '../../../../shared')
export const THREE_GPP = join(SHARED, '3gpp/rel19')
export const CAMARA = join(SHARED, 'camara/r3.2')

/** Why nothing can be judged, or nothing. */
export function missing(folder: string): string | undefined {
  if (existsSync(folder)) return undefined
  const name = relative(join(import.meta.dirname, '../../..'), folder)
  return `NOT RUN: ${name} is not there, so nothing was checked against it`
}

export class OpenApiFiles {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, discriminator: false })
  readonly #files: ReadonlySet<string>

  constructor(folder: string) {
    addFormats.default(this.#ajv, { mode: 'full' })
    for (const format of ['double', 'float', 'int32', 'int64', 'Uinteger']) {
      this.#ajv.addFormat(format, true)
    }
    this.#files = new Set(readdirSync(folder).filter((name) => name.endsWith('.yaml')))
    for (const file of this.#files) {
      const document: unknown = parse(readFileSync(join(folder, file), 'utf8'))
      this.#ajv.addSchema({
        $id: `https://openapi.invalid/${file}`,
        ...this.#removeUnknownReferences(document),
      })
    }
  }

  /** What is wrong with a value, as lines; none where it is as the schema says. */
  validate(file: string, schema: string, value: unknown): string[] {
    const id = `https://openapi.invalid/${file}#/components/schemas/${schema}`
    const validate = this.#ajv.getSchema(id)
    if (!validate) throw new Error(`${file} has no schema ${schema}`)
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }

  /** References to files that are not there become schemas that say nothing. */
  #removeUnknownReferences(node: unknown): Record<string, unknown> {
    return this.#transformNode(node) as Record<string, unknown>
  }

  #transformNode(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((item) => this.#transformNode(item))
    if (typeof node !== 'object' || node === null) return node
    const reference = Reflect.get(node, '$ref')
    if (typeof reference === 'string') {
      const file = reference.split('#')[0] ?? ''
      return file === '' || this.#files.has(file) ? { $ref: reference } : {}
    }
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, this.#transformNode(value)]),
    )
  }
}
