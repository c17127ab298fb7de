/** Renders the screen of sites and log. */

import { render } from 'preact'
import { screenClient } from '../screen-client.ts'
import { Sites } from './sites.tsx'

const screen = document.getElementById('screen')
if (screen) render(<Sites client={screenClient} />, screen)
