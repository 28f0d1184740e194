/** The page's layout: one column filling a phone's screen, two columns where there is room. */

import { css } from "lit";

export const appStyles = css`
  :host {
    display: block;
  }
  .page {
    height: 100dvh;
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    grid-template-rows: auto auto auto auto minmax(9rem, 1fr) auto auto;
    grid-template-areas: "head" "stage" "tabs" "consent" "panel" "featured" "foot";
    background: var(--ground);
  }
  /* The question takes its room from the chat: neither the picture nor the Buy button moves away. */
  .page[data-asking] {
    grid-template-rows: auto auto auto minmax(0, auto) minmax(0, 1fr) auto auto;
  }
  consent-banner {
    grid-area: consent;
    display: grid;
    min-height: 0;
  }
  .page[data-asking] .chat {
    overflow-y: auto;
  }
  consent-foot {
    grid-area: foot;
  }
  .head {
    grid-area: head;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    padding: calc(0.5rem + env(safe-area-inset-top)) 1rem 0.5rem;
    background: #0b0b0f;
    color: #fff;
    font-size: 0.875rem;
  }
  .title {
    flex: 1;
    min-width: 0;
  }
  .title h1,
  .title p {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .title h1 {
    font-size: 0.9375rem;
    font-weight: 650;
    line-height: 1.25;
  }
  .title p {
    color: #c4c4ce;
    font-size: 0.8125rem;
  }
  .live {
    padding: 0.125rem 0.5rem;
    border-radius: 0.375rem;
    background: #b3261e;
    color: #fff;
    font-weight: 700;
    font-size: 0.75rem;
    letter-spacing: 0.03em;
    text-transform: uppercase;
  }
  .who {
    min-height: 2rem;
    padding: 0 0.625rem;
    border-radius: 999px;
    color: #fff;
    background: #25252d;
    font-weight: 550;
    max-width: 9rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .viewers {
    color: #c4c4ce;
  }
  .banner {
    flex-basis: 100%;
    padding: 0.375rem 0.75rem;
    border-radius: 0.5rem;
    background: #3a2c10;
    color: #ffd88f;
  }
  .stage {
    grid-area: stage;
    background: #0b0b0f;
    height: clamp(7rem, min(56.25vw, 100dvh - 25rem), 50dvh);
  }
  .stage.portrait {
    height: clamp(7rem, 100dvh - 25rem, 50dvh);
  }
  simulcast-player {
    aspect-ratio: auto;
    height: 100%;
  }
  .tabs {
    grid-area: tabs;
    display: flex;
    gap: 0.25rem;
    padding: 0 0.75rem;
    border-bottom: 1px solid var(--line);
    background: var(--surface);
  }
  .tabs button {
    padding: 0 0.75rem;
    color: var(--quiet);
    font-weight: 600;
    font-size: 0.9375rem;
    border-bottom: 2px solid transparent;
    margin-bottom: -1px;
  }
  .tabs button[aria-pressed="true"] {
    color: var(--text);
    border-color: var(--text);
  }
  .products,
  .chat {
    grid-area: panel;
    min-height: 0;
    background: var(--surface);
  }
  .chat {
    display: flex;
  }
  chat-panel {
    flex: 1;
    min-width: 0;
  }
  .products {
    overflow-y: auto;
    padding: 0.25rem 1rem;
  }
  .products li {
    padding: 0.75rem 0;
  }
  .products li + li {
    border-top: 1px solid var(--line);
  }
  .page[data-tab="chat"] .products,
  .page[data-tab="products"] .chat {
    display: none;
  }
  .featured {
    grid-area: featured;
    padding: 0.75rem 1rem calc(0.75rem + env(safe-area-inset-bottom));
    background: var(--surface);
    border-top: 1px solid var(--line);
  }
  .closed {
    margin-bottom: 0.5rem;
    color: var(--quiet);
    font-size: 0.9375rem;
  }
  .payment {
    width: 100%;
    margin-bottom: 0.5rem;
    padding: 0.5rem 0.875rem;
    border-radius: 0.75rem;
    background: var(--warn-ground);
    color: var(--warn-text);
    font-weight: 600;
    text-align: start;
  }
  .basket {
    width: 100%;
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    align-items: center;
    gap: 0 0.75rem;
    margin-bottom: 0.5rem;
    padding: 0.375rem 0.875rem;
    border-radius: 0.75rem;
    background: var(--sunk);
    font-weight: 600;
    text-align: start;
  }
  bundle-card {
    display: block;
    margin-bottom: 0.5rem;
  }
  .notice {
    min-height: 100dvh;
    display: grid;
    place-content: center;
    text-align: center;
    gap: 0.5rem;
    padding: 1.5rem;
  }
  .notice h1 {
    font-size: 1.5rem;
    text-wrap: balance;
  }
  .notice p {
    text-wrap: balance;
    color: var(--quiet);
  }
  @media (max-width: 30rem) {
    .viewers span {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .viewers::before {
      content: "";
      display: inline-block;
      width: 0.4375rem;
      height: 0.4375rem;
      margin-inline-end: 0.375rem;
      border-radius: 50%;
      background: #5fd197;
      vertical-align: 0.1em;
    }
  }
  @media (min-width: 56rem), (orientation: landscape) and (max-height: 32rem) {
    .page,
    .page[data-asking] {
      grid-template-columns: minmax(0, 1fr) clamp(17rem, 30vw, 25rem);
      grid-template-rows: auto auto auto auto minmax(0, 1fr) auto;
      grid-template-areas: "head head" "consent consent" "stage featured" "stage tabs" "stage panel" "foot foot";
    }
    .stage,
    .stage.portrait {
      height: auto;
      min-height: 0;
    }
    .featured {
      border-top: 0;
      border-bottom: 1px solid var(--line);
    }
  }
  @media (min-width: 56rem) and (min-height: 40rem) {
    .page,
    .page[data-asking] {
      grid-template-rows: auto auto auto auto minmax(0, 1fr) auto;
      grid-template-areas: "head head" "consent consent" "stage featured" "stage products" "stage chat" "foot foot";
    }
    .tabs {
      display: none;
    }
    .page .products,
    .page[data-tab="chat"] .products {
      grid-area: products;
      display: block;
      max-height: 30dvh;
      border-bottom: 1px solid var(--line);
    }
    .page .chat,
    .page[data-tab="products"] .chat {
      grid-area: chat;
      display: flex;
    }
  }
  @media (orientation: landscape) and (max-height: 32rem) {
    consent-banner {
      min-height: auto;
    }
    .head {
      padding-block: 0.25rem;
    }
    .featured {
      padding-block: 0.5rem;
    }
  }
`;
