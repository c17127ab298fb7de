/** Renders the popup. */

import { render } from 'preact'
import { screenClient } from '../screen-client.ts'
import { Popup } from './popup.tsx'

const screen = document.getElementById('screen')
if (screen) render(<Popup client={screenClient} />, screen)
