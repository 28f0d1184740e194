/** What the viewer allows, and the same in the words of Google's Consent Mode v2. */

export interface Choice {
  analytics: boolean;
  ads: boolean;
}

export const NOTHING: Choice = { analytics: false, ads: false };

export type Granted = "granted" | "denied";

/** https://developers.google.com/tag-platform/security/concepts/consent-mode */
export interface ConsentMode {
  ad_storage: Granted;
  ad_user_data: Granted;
  ad_personalization: Granted;
  analytics_storage: Granted;
}

/** `allowed` has Global Privacy Control in it already: ads are off under it. */
export function consentMode({ analytics, ads }: Choice): ConsentMode {
  const word = (yes: boolean): Granted => (yes ? "granted" : "denied");
  return {
    ad_storage: word(ads),
    ad_user_data: word(ads),
    ad_personalization: word(ads),
    analytics_storage: word(analytics),
  };
}

/** Whether the browser asks every site not to share or sell its user's data. */
export function sendsGpc(browser: object = navigator): boolean {
  return "globalPrivacyControl" in browser && browser.globalPrivacyControl === true;
}
