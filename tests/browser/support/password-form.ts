/** The operator's sign-in page with a subscriber who types a password. */

import type { Page } from 'puppeteer-core'
import type { Subscriber } from '../../../demo-site/network/index.ts'

/** Waits for the form, replaces the number that it may show already, and submits it. */
export async function submitPassword(
  operator: Page,
  { phoneNumber, password }: Pick<Subscriber, 'phoneNumber' | 'password'>,
): Promise<void> {
  await operator.waitForSelector('[data-form=password]')
  await operator.$eval('[data-form=password] [name=phone_number]', (field) => {
    ;(field as HTMLInputElement).value = ''
  })
  await operator.type('[data-form=password] [name=phone_number]', phoneNumber)
  await operator.type('[data-form=password] [name=password]', password)
  await operator.click('[data-form=password] [type=submit]')
}
