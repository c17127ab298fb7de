/** Name of the fictitious mobile operator that runs this network, for its screens and its profiles. */

export interface Operator {
  name: string
  /** Shown below the name. */
  motto: string
}

export const DEFAULT_OPERATOR: Operator = {
  name: 'Meridian Mobile',
  motto: 'Your number, your say',
}
