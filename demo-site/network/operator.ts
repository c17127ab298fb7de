/** The made-up mobile operator that runs this network, as its own screens and its profile name it. */

export interface Operator {
  name: string
  /** Shown below the name. */
  motto: string
}

export const DEFAULT_OPERATOR: Operator = {
  name: 'Meridian Mobile',
  motto: 'Your number, your say',
}
