/**
 * Runs the sample of docs/network.md as it is written, in a process of its own.
 *
 * F08: seen to fail with the sample as it was: it waited for a token request that nobody sent.
 */

import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

it('F08: the sample starts a network, sends a request, finds it in the log, and ends', async () => {
  const page = readFileSync(join(ROOT, 'docs/network.md'), 'utf8')
  const [, sample = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? []
  // The sample imports the network by its path from the root.
  const path = join(ROOT, `network-sample-${process.pid}.ts`)
  writeFileSync(path, sample)
  onTestFinished(() => rmSync(path))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path], {
    cwd: ROOT,
    timeout: 50_000,
  })
  expect(stdout.trim().split('\n')).toEqual(['3', '200 1'])
})
