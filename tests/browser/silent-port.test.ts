/**
 * Tests a port without a listener at the other end. Chromium does not report a worker that fails to start. In
 * this test a broker that does not listen stands for a worker that has not started.
 *
 * Seen to fail when the content script does not check that the other end answers: the call hangs.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { test as base } from './fixtures.ts'
import { call } from './support/stage.ts'

const LISTENS = /([\w$.]+\.runtime\.onConnect)\.addListener\(/g
/** Keeps the port open without a listener, as if the worker had not started. */
const FIRST_IS_MISSED =
  'port => globalThis.missed ? listener(port) : void (globalThis.missed = port)'

async function missTheFirst(extension: string): Promise<void> {
  let places = 0
  for (const name of await readdir(extension, { recursive: true })) {
    if (!name.endsWith('.js')) continue
    const path = join(extension, name)
    const script = await readFile(path, 'utf8')
    const changed = script.replaceAll(LISTENS, (_, event: string) => {
      places += 1
      return `(listener => ${event}.addListener(${FIRST_IS_MISSED}))(`
    })
    if (changed !== script) await writeFile(path, changed)
  }
  expect(places).toBe(1)
}

const test = base.extend('options', {
  prepareExtension: missTheFirst,
  limits: { KEEP_ALIVE_MS: 500 },
})

describe('a document whose port has no listener', () => {
  test('L01: asks again over another, and is answered', async ({ page }) => {
    const { result } = await call<{ protocol: string }>(page, 'broker_getInfo')
    expect(result?.protocol).toBe('1')
  })
})
