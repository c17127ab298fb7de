/**
 * Operators: imported by the user after a confirmation, removed with an undo, refused with reasons.
 *
 * Seen to fail when a development build does not read the demonstration's; when `checkOperator` adds what it
 * has judged (E17), when the confirmation does not name the APIs, and the chooser has no label; when an
 * issuer may be there twice, an unknown member passes, http anywhere, and what is no JSON counts as empty;
 * when a name is put into the page as markup; when an operator is kept in memory alone; and when the undo
 * does nothing.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElementHandle, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { violationsOf } from './support/axe.ts'
import { pageAt, until } from './support/pages.ts'
import {
  answerConsent,
  BROWSERS,
  call,
  openScreen,
  type Stage,
  startStage,
} from './support/stage.ts'

const IMPORTED: OperatorProfile = {
  issuer: 'http://localhost:9/tenant',
  name: 'Second Operator',
  profile: 'oauth',
  apis: [
    { resource: 'http://localhost:9/api', name: 'Number check', scopes: [{ scope: 'check' }] },
  ],
  applications: [{ clientId: 'x', name: 'Shop', origins: ['https://shop.example'] }],
}

describe.each(BROWSERS)('in %s, operators', (name) => {
  let stage: Stage
  let screen: Page
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'northkey-profiles-'))
    stage = await startStage(name)
    const page = await stage.open()
    if (!stage.brokerOrigin) {
      const connecting = call(page, 'northbound_connect', stage.wish())
      await pageAt(stage.browser, '/ui/consent/')
      await answerConsent(stage, 'deny')
      await connecting
    }
    await openOperators()
  })
  afterAll(async () => {
    await stage?.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function openOperators(): Promise<void> {
    if (screen) await screen.close()
    screen = await openScreen(stage, '/ui/operators/index.html')
    await screen.waitForSelector('[data-testid=operator]')
    await screen.bringToFront()
  }

  const namesShown = () =>
    screen.$$eval('[data-testid=operator] h2', (found) => found.map((e) => e.textContent))
  const demonstration = () => stage.network.operatorProfiles.map((profile) => profile.name)

  async function choose(content: unknown): Promise<void> {
    const file = join(folder, 'profile.json')
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
    const input = (await screen.$('[data-testid=file]')) as ElementHandle<HTMLInputElement> | null
    await input?.uploadFile(file)
  }

  async function reasonsFor(content: unknown): Promise<string> {
    await choose(content)
    await screen.waitForSelector('[data-testid=reasons]')
    const said = await screen.$eval('[data-testid=reasons]', (e) => e.textContent ?? '')
    // A file that is good takes the reasons away.
    await choose(IMPORTED)
    await screen.waitForSelector('[data-testid=confirmation]')
    await screen.click('[data-testid=cancel-import]')
    await until('the end', async () => !(await screen.$('[data-testid=confirmation]')))
    return said
  }

  test('the demonstration’s are there in a development build', async () => {
    expect(await namesShown()).toEqual(demonstration())
  })

  test('E17: a file adds nothing before the user has seen issuer, APIs and applications, and confirmed', async () => {
    await choose(IMPORTED)
    await screen.waitForSelector('[data-testid=confirmation]')
    const shown = await screen.$eval('[data-testid=confirmation]', (e) => e.textContent)
    for (const part of [
      'Second Operator',
      'http://localhost:9/tenant',
      'Number check',
      'http://localhost:9/api',
      'Shop',
      'https://shop.example',
    ]) {
      expect(shown).toContain(part)
    }
    expect(await violationsOf(screen)).toEqual([])
    await screen.click('[data-testid=cancel-import]')
    await until('the end', async () => !(await screen.$('[data-testid=confirmation]')))
    await openOperators()
    expect(await namesShown()).toEqual(demonstration())
  })

  test('refused with the reason: an issuer that is taken, an unknown member, plain http, no JSON', async () => {
    expect(await reasonsFor({ ...IMPORTED, issuer: stage.network.issuer })).toContain(
      'issuer: expected one that no other profile has',
    )
    expect(await reasonsFor({ ...IMPORTED, onbording: 'dynamic' })).toContain(
      'onbording: unknown member',
    )
    expect(await reasonsFor({ ...IMPORTED, issuer: 'http://operator.example' })).toContain(
      'issuer: expected an https URL',
    )
    expect(await reasonsFor('{')).toContain('file: expected JSON')
  })

  test('what an operator says is text and nothing else', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    await choose({ ...IMPORTED, name: evil })
    await screen.waitForSelector('[data-testid=confirmation]')
    expect(await screen.$eval('[data-testid=confirmation] h3', (e) => e.textContent)).toContain(
      evil,
    )
    expect(await screen.$('[data-testid=confirmation] img')).toBeNull()
    await screen.click('[data-testid=cancel-import]')
  })

  test('a confirmed one is there, also after the screen is closed; removed, and back by undo', async () => {
    await choose(IMPORTED)
    await screen.waitForSelector('[data-testid=confirmation]')
    await screen.click('[data-testid=confirm-import]')
    const all = [IMPORTED.name, ...demonstration()]
    await until('it', async () => (await namesShown()).length === all.length)
    await openOperators()
    expect(await namesShown()).toEqual(all)
    await screen.click('[data-testid=remove]')
    await screen.waitForSelector('[data-testid=undo]')
    await until('its end', async () => (await namesShown()).length === all.length - 1)
    expect(await violationsOf(screen)).toEqual([])
    await screen.click('[data-testid=undo]')
    await until('it again', async () => (await namesShown()).length === all.length)
  })
})
