/** Web server of the UE application: files, security headers, rejected requests, log. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoSite, startDemoSite } from '../../demo-site/server/index.ts'
import { CONFIG } from './broker-double.ts'

let root: string
let site: DemoSite

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skyframe-'))
  await mkdir(join(root, 'assets'))
  await writeFile(join(root, 'index.html'), '<title>Skyframe</title>')
  await writeFile(join(root, 'assets', 'index-abc.js'), 'export {}')
  site = await startDemoSite({ config: CONFIG, root })
})

afterAll(async () => {
  await site?.close()
  await rm(root, { recursive: true, force: true })
})

/** Sends a path unchanged; fetch would normalize it. */
function requestRawPath(path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request(new URL(site.origin), { path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

describe('the demo site', () => {
  test('listens on 127.0.0.1, so that it gets no cookie of localhost', () => {
    expect(site.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  test('serves the page, its files and its configuration', async () => {
    expect(await (await fetch(site.origin)).text()).toContain('Skyframe')
    const script = await fetch(`${site.origin}/assets/index-abc.js`)
    expect(script.headers.get('content-type')).toMatch(/javascript/)
    expect(script.headers.get('cache-control')).toContain('immutable')
    const config = await fetch(`${site.origin}/config.json`)
    expect(await config.json()).toEqual(CONFIG)
    expect(config.headers.get('cache-control')).toBe('no-store')
  })

  test.each(['/', '/config.json', '/assets/index-abc.js', '/nothing'])(
    'CSP3: the policy of %s allows connections to the page and the API only',
    async (path) => {
      const { headers } = await fetch(site.origin + path)
      const policy = headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("connect-src 'self' http://127.0.0.1:4401;")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    },
  )

  test.each([
    '/../package.json',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/package.json',
    '/nothing',
    '/.env',
  ])('nothing is served for %s', async (path) => {
    expect(await requestRawPath(path)).toBe(404)
  })

  test.each(['POST', 'PUT', 'DELETE'])(
    'RFC 9110 section 15.5.6: %s is rejected',
    async (method) => {
      const { status, headers } = await fetch(site.origin, { method })
      expect(status).toBe(405)
      expect(headers.get('allow')).toBe('GET, HEAD')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    },
  )

  test('RFC 9110 section 15.5.20: another host name is rejected (DNS rebinding)', async () => {
    expect(await requestRawPath('/config.json', { host: 'rebound.example' })).toBe(421)
    expect(await requestRawPath('/config.json', { host: new URL(site.origin).host })).toBe(200)
  })

  test('the log contains every request', async () => {
    site.log.clear()
    await fetch(`${site.origin}/config.json?a=b`)
    expect(site.log.entries).toMatchObject([
      { server: 'demo-site', method: 'GET', path: '/config.json', query: { a: 'b' }, status: 200 },
    ])
  })

  test('a page that is not built, and a port in use, are reported in one line', async () => {
    const missing = startDemoSite({ config: CONFIG, root: join(root, 'missing') })
    await expect(missing).rejects.toThrow('not built')
    const port = Number(new URL(site.origin).port)
    const taken = startDemoSite({ config: CONFIG, root, port })
    await expect(taken).rejects.toThrow(`demo-site: port ${port} on 127.0.0.1 is in use`)
  })

  test('the configuration may be set after the server has started', async () => {
    const late = await startDemoSite({ config: () => ({ ...CONFIG, scsAsId: 'late' }), root })
    const answer = await fetch(`${late.origin}/config.json`)
    expect(await answer.json()).toMatchObject({ scsAsId: 'late' })
    await late.close()
  })
})
