/** Renders the consent window of the flow that its URL names. */

import { render } from 'preact'
import { screenClient } from '../screen-client.ts'
import { Consent } from './consent.tsx'

const flowId = new URLSearchParams(location.search).get('flow') ?? ''
const screen = document.getElementById('screen')
if (screen) render(<Consent client={screenClient} flowId={flowId} />, screen)
