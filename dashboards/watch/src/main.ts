/** Defines the page's elements; <watch-app> starts itself. */

import "@simulcast/player";
import { AccountSheet } from "./account-sheet";
import { OwnCopyPart } from "./own-copy";
import { WatchApp } from "./app";
import { BuySheet } from "./buy-sheet";
import { CartLines } from "./cart-lines";
import { ChatPanel } from "./chat-panel";
import { ClaimSheet } from "./claim-sheet";
import { defineConsent } from "./consent";
import { defineOffers } from "./offers";
import { PayChoice } from "./pay-choice";
import { ProductCard } from "./product-card";
import { SignIn } from "./sign-in";

defineOffers();
defineConsent();
customElements.define("pay-choice", PayChoice);
customElements.define("cart-lines", CartLines);
customElements.define("sign-in", SignIn);
customElements.define("account-sheet", AccountSheet);
customElements.define("own-copy", OwnCopyPart);
customElements.define("product-card", ProductCard);
customElements.define("chat-panel", ChatPanel);
customElements.define("buy-sheet", BuySheet);
customElements.define("claim-sheet", ClaimSheet);
customElements.define("watch-app", WatchApp);
