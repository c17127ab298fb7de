/**
 * Makes JSON Schema validators from the 3GPP OpenAPI files. The files lie beside the repository and are never
 * part of it; references to missing files accept any value.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../shared/3gpp/', import.meta.url))

export const hasOpenApiFiles = existsSync(ROOT)

/** The reason for a test that is skipped because the files are missing. */
export const MISSING = 'did not run: ../shared/3gpp is missing'

export interface Release {
  /** A validator for one schema of one file. */
  schema(file: string, name: string): ValidateFunction
}

const releases = new Map<string, Release>()

export function openRelease(folder: string): Release {
  const release = releases.get(folder) ?? readRelease(folder)
  releases.set(folder, release)
  return release
}

function readRelease(folder: string): Release {
  const directory = `${ROOT}${folder}/`
  const files = readdirSync(directory).filter((file) => file.endsWith('.yaml'))
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false, validateFormats: true })
  addFormats.default(ajv)
  for (const file of files) {
    const document = parse(readFileSync(directory + file, 'utf8')) as object
    ajv.addSchema({
      ...(replaceMissingReferences(document, files) as object),
      $id: `https://3gpp.example/${file}`,
    })
  }
  return {
    schema(file, name) {
      const validate = ajv.getSchema(`https://3gpp.example/${file}#/components/schemas/${name}`)
      if (validate === undefined) throw new Error(`${folder}/${file} has no schema ${name}`)
      return validate
    },
  }
}

/** Replaces references to missing files by a schema that accepts any value. */
function replaceMissingReferences(node: unknown, files: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => replaceMissingReferences(item, files))
  if (typeof node !== 'object' || node === null) return node
  const reference = (node as { $ref?: unknown }).$ref
  if (typeof reference === 'string') {
    const file = reference.split('#', 1)[0] ?? ''
    return file === '' || files.includes(file) ? node : {}
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, replaceMissingReferences(value, files)]),
  )
}
