/** Operator profiles of the network against their JSON Schema. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, it } from 'vitest'
import { startTestNetwork } from './support/client.ts'

const SCHEMA = join(
  import.meta.dirname,
  '../../extension/background/operators/operator-profile.schema.json',
)

it('the operator profiles of the network have an issuer each', async () => {
  const network = await startTestNetwork()
  try {
    const issuers = network.operatorProfiles.map(({ issuer }) => issuer)
    expect(new Set(issuers).size).toBe(3)
  } finally {
    await network.close()
  }
})

it('the operator profiles of the network follow their schema', async () => {
  const network = await startTestNetwork()
  try {
    const ajv = new Ajv2020({ strict: false })
    addFormats.default(ajv)
    const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')))
    for (const profile of network.operatorProfiles) {
      validate(profile)
      expect(validate.errors).toBeNull()
    }
    expect(validate({ ...network.operatorProfiles[0], surplus: 1 })).toBe(false)
  } finally {
    await network.close()
  }
})
