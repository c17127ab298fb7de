/** Translates purposes of the W3C Data Privacy Vocabulary to plain words. @see https://w3id.org/dpv */

const WORDS: Record<string, string> = {
  'dpv:AccountManagement': 'to manage your account',
  'dpv:Advertising': 'for advertising',
  'dpv:CommunicationManagement': 'to get in touch with you',
  'dpv:CustomerManagement': 'to manage its customers',
  'dpv:DirectMarketing': 'for marketing addressed to you',
  'dpv:FraudPreventionAndDetection': 'to prevent and detect fraud',
  'dpv:IdentityVerification': 'to verify who you are',
  'dpv:Marketing': 'for marketing',
  'dpv:Personalisation': 'to personalize what you see',
  'dpv:RequestedServiceProvision': 'to provide the service that you asked for',
  'dpv:ResearchAndDevelopment': 'for research and development',
  'dpv:Security': 'for security',
  'dpv:ServiceOptimisation': 'to improve the service',
  'dpv:ServiceProvision': 'to provide its service',
}

/** @param purpose Term such as `dpv:Security`. An unknown term is shown as it is. */
export function describePurpose(purpose: string): string {
  return WORDS[purpose] ?? `for the purpose “${purpose.replace(/^dpv:/, '')}”`
}
