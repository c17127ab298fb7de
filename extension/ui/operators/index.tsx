/** Renders the screen of operators. */

import { render } from 'preact'
import { screenClient } from '../screen-client.ts'
import { Operators } from './operators.tsx'

const screen = document.getElementById('screen')
if (screen) render(<Operators client={screenClient} />, screen)
