/** Looks that the offers share. */

import { css } from "lit";

export const offerStyles = css`
  :host {
    display: block;
  }
  .offer {
    display: grid;
    gap: 0.25rem;
    padding: 0.5rem 0.75rem;
    border-radius: 0.75rem;
    background: var(--warn-ground);
    color: var(--warn-text);
    font-size: 0.9375rem;
    line-height: 1.3;
  }
  .offer.over {
    background: var(--sunk);
    color: var(--quiet);
  }
  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 0.5rem;
  }
  .title {
    font-weight: 650;
    overflow-wrap: anywhere;
  }
  .clock {
    margin-inline-start: auto;
    font-weight: 700;
  }
  .price {
    font-weight: 700;
    color: var(--text);
  }
  s {
    color: var(--quiet);
  }
  .small {
    font-size: 0.8125rem;
  }
  a {
    color: inherit;
  }
  .tiers {
    display: grid;
    gap: 0.125rem;
  }
  .tiers li {
    display: flex;
    gap: 0.5rem;
  }
  .tiers .now {
    font-weight: 700;
  }
  .tiers .gone {
    color: var(--quiet);
    text-decoration: line-through;
  }
`;
