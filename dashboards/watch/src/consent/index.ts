/** Consent: the banner, what is allowed, and the page's part in visits. */

import { ConsentBanner, ConsentFoot } from "./banner";

export { type Choice, consentMode, type ConsentMode, sendsGpc } from "./allowed";
export type { ConsentDesk } from "./desk";
export { PageConsent } from "./page";

export function defineConsent(): void {
  customElements.define("consent-banner", ConsentBanner);
  customElements.define("consent-foot", ConsentFoot);
}
