/** The player's looks. A constructable style sheet: the page's policy allows no inline styles. */

import { css } from "lit";

export const styles = css`
  :host {
    display: block;
    position: relative;
    width: 100%;
    aspect-ratio: 16 / 9; /* until the page around it says otherwise */
    overflow: hidden;
    background: #0b0b0f;
    color: #fff;
    font: 500 0.9375rem/1.4 system-ui, sans-serif;
    container-type: size;
  }
  :host([hidden]) {
    display: none;
  }
  .stage {
    position: absolute;
    inset: 0;
  }
  .stage:focus-visible {
    outline: 3px solid #7cc4ff;
    outline-offset: -3px;
  }
  video {
    width: 100%;
    height: 100%;
    object-fit: contain;
    display: block;
  }
  button {
    font: inherit;
    color: inherit;
    border: 0;
    cursor: pointer;
    min-height: 2.75rem;
    min-width: 2.75rem;
    border-radius: 999px;
    background: rgb(11 11 15 / 0.72);
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
  }
  button:hover {
    background: rgb(11 11 15 / 0.9);
  }
  button:focus-visible {
    outline: 3px solid #7cc4ff;
    outline-offset: 2px;
  }
  svg {
    width: 1.375rem;
    height: 1.375rem;
    fill: none;
    stroke: currentcolor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .notice {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 0.25rem;
    padding: 1rem;
    text-align: center;
    background: rgb(11 11 15 / 0.72);
    pointer-events: none;
  }
  .notice strong {
    font-size: 1.0625rem;
  }
  .notice span {
    color: #d0d0d8;
    max-width: 34ch;
    text-wrap: balance;
  }
  .spinner {
    width: 2rem;
    height: 2rem;
    margin-bottom: 0.5rem;
    border-radius: 50%;
    border: 3px solid rgb(255 255 255 / 0.25);
    border-top-color: #fff;
    animation: turn 1s linear infinite;
  }
  .big {
    position: absolute;
    left: 50%;
    top: 50%;
    transform: translate(-50%, -50%);
    padding: 0 1.25rem 0 1rem;
    background: #fff;
    color: #111;
    font-weight: 650;
    white-space: nowrap;
    box-shadow: 0 4px 20px rgb(0 0 0 / 0.35);
  }
  .big.sound {
    top: 0.75rem;
    left: 0.75rem;
    transform: none;
  }
  .big:hover {
    background: #ececf1;
  }
  .volume {
    display: none;
    width: 5.5rem;
    accent-color: #fff;
    pointer-events: auto;
  }
  .volume:focus-visible {
    outline: 3px solid #7cc4ff;
    outline-offset: 4px;
  }
  @media (hover: hover) {
    @container (min-width: 30rem) {
      .volume {
        display: block;
      }
    }
  }
  .bar {
    position: absolute;
    inset: auto 0 0 0;
    display: flex;
    align-items: center;
    gap: 0.5rem;
    padding: 0.625rem;
    background: linear-gradient(transparent, rgb(0 0 0 / 0.6));
    pointer-events: none;
  }
  .bar button {
    pointer-events: auto;
  }
  .delay {
    margin-inline-start: auto;
    padding: 0.25rem 0.625rem;
    border-radius: 999px;
    background: rgb(11 11 15 / 0.72);
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .spinner {
      animation: none;
    }
  }
`;
