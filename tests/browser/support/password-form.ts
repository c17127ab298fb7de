/** Fills in the password form of the operator's sign-in page. */

import type { Page } from 'puppeteer-core'
import type { Subscriber } from '../../../demo-site/network/index.ts'

/** Waits for the form, replaces a number that is already filled in, and submits the form. */
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
