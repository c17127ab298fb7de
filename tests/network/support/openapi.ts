/**
 * Validates messages against the OpenAPI files of 3GPP and CAMARA, with ajv. The files lie beside the project
 * and are not part of it; `hasFiles` tells whether they are there. References to files outside of the set accept
 * any value.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

const SHARED = join(import.meta.dirname, '../../../../shared')
export const THREE_GPP = join(SHARED, '3gpp/rel19')
export const CAMARA = join(SHARED, 'camara/r3.2')

export const hasFiles = (folder: string): boolean => existsSync(folder)

/** The reason for a test that is skipped because the files are missing. */
export function missingFiles(folder: string): string {
  const name = relative(join(import.meta.dirname, '../../..'), folder)
  return `did not run: ${name} is missing`
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

  /** The faults of a value, one a line; none for a valid value. */
  validate(file: string, schema: string, value: unknown): string[] {
    const id = `https://openapi.invalid/${file}#/components/schemas/${schema}`
    const validate = this.#ajv.getSchema(id)
    if (!validate) throw new Error(`${file} has no schema ${schema}`)
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }

  /** Replaces references to missing files by schemas that accept any value. */
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
