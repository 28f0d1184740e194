/** The offers' elements, for the page: `defineOffers()` once, before the page is drawn. */

import { BundleCard } from "./bundle-card";
import { CouponField } from "./coupon-field";
import { OfferBadge } from "./offer-badge";

export { type OfferChosen } from "./bundle-card";

export function defineOffers(): void {
  customElements.define("offer-badge", OfferBadge);
  customElements.define("bundle-card", BundleCard);
  customElements.define("coupon-field", CouponField);
}

declare global {
  interface HTMLElementTagNameMap {
    "offer-badge": OfferBadge;
    "bundle-card": BundleCard;
    "coupon-field": CouponField;
  }
}
