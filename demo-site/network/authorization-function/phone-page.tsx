/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Renders the "phones" of the fictitious subscribers: a page with the text messages that they received. */

import type { SubscriberDirectory } from '../subscribers.ts'
import type { TextMessages } from '../text-messages.ts'
import { Layout, type LayoutProps } from './screens/layout.tsx'

export interface PhonesProps extends Omit<LayoutProps, 'title' | 'screen' | 'children'> {
  subscribers: SubscriberDirectory
  messages: TextMessages
}

export function Phones({ subscribers, messages, ...layout }: PhonesProps) {
  return (
    <Layout {...layout} title="Phones" screen="phones" wide refreshSeconds={3}>
      <h1>The phones</h1>
      <p class="lead">What our demonstration subscribers have on their screens.</p>
      <ul class="plain">
        {subscribers.all.map(({ id, name, phoneNumber }) => (
          <li key={id} data-phone={phoneNumber}>
            <h2>
              {name}, {phoneNumber}
            </h2>
            {messages.inbox(phoneNumber).length === 0 ? <p class="lead">No messages.</p> : null}
            {messages.inbox(phoneNumber).map(({ timeMs, text }) => (
              <p class="note" key={timeMs} data-message>
                {text}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </Layout>
  )
}
