/**
 * Tests operators: the user imports an operator after a confirmation and removes it with an undo. The broker
 * rejects an invalid profile with reasons.
 *
 * Seen to fail when:
 * - a development build does not read the operators of the demonstration;
 * - `checkOperator` stores the profile that it checks (E17), the confirmation does not name the APIs, and the
 *   file chooser has no label;
 * - an issuer may exist twice, an unknown member is accepted, http is accepted for every host, and a file
 *   that is not JSON counts as empty;
 * - a name is inserted into the page as markup;
 * - an operator is kept in memory only;
 * - the undo does nothing;
 * - a file cannot replace an imported profile, an open screen is not told of a change, and no redirect URI is shown
 *   (F05, F06, H25f: before they existed).
 */

import type { Page } from 'puppeteer-core'
import { describe, expect } from 'vitest'
import { redirectUriFor } from '../../shared/core/index.ts'
import type { OperatorProfile } from '../../shared/messages/operator-profile.ts'
import { test as base } from './fixtures.ts'
import { violationsOf } from './support/axe.ts'
import { chooseFile, openOperators } from './support/operators-screen.ts'

const IMPORTED: OperatorProfile = {
  issuer: 'http://localhost:9/tenant',
  name: 'Second Operator',
  profile: 'oauth',
  apis: [
    { resource: 'http://localhost:9/api', name: 'Number check', scopes: [{ scope: 'check' }] },
  ],
  applications: [{ clientId: 'x', name: 'Shop', origins: ['https://shop.example'] }],
}

const test = base
  .extend('screen', async ({ stage }) => {
    const screen = await openOperators(stage)
    await screen.waitForSelector('[data-testid=operator]')
    return screen
  })
  .extend('demonstration', ({ stage }) => stage.network.operatorProfiles.map(({ name }) => name))

const namesShown = (screen: Page) =>
  screen.$$eval('[data-testid=operator] h2', (found) => found.map((title) => title.textContent))

async function cancelImport(screen: Page): Promise<void> {
  await screen.click('[data-testid=cancel-import]')
  await screen.waitForSelector('[data-testid=confirmation]', { hidden: true })
}

async function reasonsFor(screen: Page, content: unknown): Promise<string> {
  await chooseFile(screen, content, 'reasons')
  const reasons = await screen.$eval('[data-testid=reasons]', (found) => found.textContent ?? '')
  // A valid file clears the reasons.
  await chooseFile(screen, IMPORTED)
  await cancelImport(screen)
  return reasons
}

describe('operators', () => {
  test('of the demonstration are there in a development build', async ({
    screen,
    demonstration,
  }) => {
    expect(await namesShown(screen)).toEqual(demonstration)
  })

  test('E17: a file adds nothing before the user has seen issuer, APIs and applications, and confirmed', async ({
    stage,
    screen,
    demonstration,
  }) => {
    await chooseFile(screen, IMPORTED)
    const shown = await screen.$eval('[data-testid=confirmation]', (found) => found.textContent)
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
    await cancelImport(screen)
    const again = await openOperators(stage)
    await again.waitForSelector('[data-testid=operator]')
    expect(await namesShown(again)).toEqual(demonstration)
  })

  test('rejected with the reason: an issuer that looks taken, an unknown member, plain http, no JSON', async ({
    stage,
    screen,
  }) => {
    const similar = `${stage.network.issuer.toString().replace(/\/$/, '')}/`
    expect(await reasonsFor(screen, { ...IMPORTED, issuer: similar })).toContain(
      'issuer: expected one that no other profile has',
    )
    expect(await reasonsFor(screen, { ...IMPORTED, onbording: 'dynamic' })).toContain(
      'onbording: unknown member',
    )
    expect(await reasonsFor(screen, { ...IMPORTED, issuer: 'http://operator.example' })).toContain(
      'issuer: expected an https URL',
    )
    expect(await reasonsFor(screen, '{')).toContain('file: expected JSON')
  })

  test('what an operator says is text and nothing else', async ({ screen }) => {
    const evil = '<img src=x onerror=alert(1)>'
    await chooseFile(screen, { ...IMPORTED, name: evil })
    const title = await screen.$eval('[data-testid=confirmation] h3', (found) => found.textContent)
    expect(title).toContain(evil)
    expect(await screen.$('[data-testid=confirmation] img')).toBeNull()
  })

  test('F05, F06, H25f: replaced by a file after a look at the changes, in every open screen, with its redirect URIs', async ({
    stage,
    screen,
    demonstration,
  }) => {
    await chooseFile(screen, IMPORTED)
    await screen.click('[data-testid=confirm-import]')
    await expect.poll(() => namesShown(screen)).toEqual([IMPORTED.name, ...demonstration])
    const other = await openOperators(stage)
    await other.waitForSelector('[data-testid=remove]')

    await screen.bringToFront()
    await chooseFile(screen, { ...IMPORTED, name: 'Renamed Operator', modes: ['fetch'] })
    const question = await screen.$eval('[data-testid=confirmation]', (found) => found.textContent)
    expect(question).toContain('Replace')
    expect(question).toMatch(/Changed: Setting.*name.*Changed: Setting.*modes.*No connection ends/)
    expect(await violationsOf(screen)).toEqual([])
    await screen.click('[data-testid=confirm-import]')
    for (const shown of [screen, other]) {
      await expect.poll(() => namesShown(shown)).toEqual(['Renamed Operator', ...demonstration])
    }

    await screen.click('[data-testid=redirect-uris] summary')
    const uri = `[data-testid=redirect-uris] [data-browser=${stage.name}]`
    expect(await screen.$eval(`${uri} .address`, (found) => found.textContent)).toBe(
      await redirectUriFor(stage.redirectBase, IMPORTED.issuer),
    )
    await screen.click(`${uri} [data-testid=copy]`)
    const notice = () =>
      screen.$eval('[data-testid=redirect-uris] [role=status]', (found) => found.textContent)
    await expect.poll(notice).toContain('is copied')
    expect(await violationsOf(screen)).toEqual([])
  })

  test('a confirmed one is there, also after the screen is closed; removed, and back by undo', async ({
    stage,
    screen,
    demonstration,
  }) => {
    await chooseFile(screen, IMPORTED)
    await screen.click('[data-testid=confirm-import]')
    const all = [IMPORTED.name, ...demonstration]
    await expect.poll(() => namesShown(screen)).toEqual(all)
    await screen.close()
    const again = await openOperators(stage)
    await again.waitForSelector('[data-testid=remove]')
    expect(await namesShown(again)).toEqual(all)
    await again.click('[data-testid=remove]')
    await again.waitForSelector('[data-testid=undo]')
    await expect.poll(() => namesShown(again)).toEqual(demonstration)
    expect(await violationsOf(again)).toEqual([])
    await again.click('[data-testid=undo]')
    await expect.poll(() => namesShown(again)).toEqual(all)
  })
})
