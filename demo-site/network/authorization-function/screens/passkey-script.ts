/**
 * Source of the only script of the operator's screens: it calls WebAuthn for a passkey. It is served as a file.
 * Without script or WebAuthn the other sign-in methods remain. @see WebAuthn level 3, section 5.1
 */

export const PASSKEY_SCRIPT = `
const supported = Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON)

async function options(url) {
  const answer = await fetch(url, { method: 'POST' })
  if (!answer.ok) throw new Error('no options')
  return answer.json()
}

for (const button of document.querySelectorAll('[data-passkey]')) {
  button.hidden = !supported
  button.addEventListener('click', async () => {
    const form = button.closest('form')
    try {
      const json = await options(button.dataset.passkey)
      const create = button.dataset.passkeyKind === 'create'
      const credential = create
        ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json),
          })
        : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json),
          })
      form.elements.assertion.value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch {
      button.textContent = 'That did not work. Try again'
    }
  })
}
`
