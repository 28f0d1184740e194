/** Defines the page's elements; <watch-app> starts itself. */

import "@simulcast/player";
import { WatchApp } from "./app";
import { BuySheet } from "./buy-sheet";
import { ChatPanel } from "./chat-panel";
import { ProductCard } from "./product-card";

customElements.define("product-card", ProductCard);
customElements.define("chat-panel", ChatPanel);
customElements.define("buy-sheet", BuySheet);
customElements.define("watch-app", WatchApp);
