/** The picture and what stands on it. */

import { css } from "lit";

export const stageStyles = css`
  :host {
    display: block;
    position: relative;
    width: 100%;
    aspect-ratio: 16 / 9; /* until the page around it says otherwise */
    background: #0b0b0f;
    color: #fff;
    font: 500 0.9375rem/1.4 system-ui, sans-serif;
  }
  :host([hidden]) {
    display: none;
  }
  .stage {
    position: absolute;
    inset: 0;
    overflow: hidden;
    background: #0b0b0f;
    container-type: size;
  }
  .stage.mini {
    position: fixed;
    inset: auto 0.75rem calc(0.75rem + env(safe-area-inset-bottom)) auto;
    width: min(20rem, 60vw);
    aspect-ratio: 16 / 9;
    border-radius: 0.75rem;
    box-shadow: 0 6px 28px rgb(0 0 0 / 0.45);
    z-index: 2147483000;
  }
  .stage.mini.tall {
    width: min(11rem, 34vw);
    aspect-ratio: 9 / 16;
  }
  .stage:focus-visible {
    outline: 3px solid #7cc4ff;
    outline-offset: -3px;
  }
  .stage.idle {
    cursor: none;
  }
  video,
  .poster {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    display: block;
    object-fit: contain;
  }
  .poster {
    object-fit: cover;
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
    flex: none;
  }
  button:hover {
    background: rgb(11 11 15 / 0.9);
  }
  button:focus-visible,
  input:focus-visible {
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
    gap: 0.75rem;
    padding: 1rem;
    text-align: center;
    background: rgb(11 11 15 / 0.72);
    pointer-events: none;
  }
  .words {
    display: grid;
    justify-items: center;
    gap: 0.25rem;
  }
  .notice strong {
    font-size: 1.0625rem;
    text-wrap: balance;
  }
  .notice span {
    color: #d8d8e0;
    max-width: 38ch;
    text-wrap: balance;
  }
  .notice .count {
    color: #fff;
    font-size: clamp(1.75rem, 12cqh, 3.5rem);
    font-weight: 700;
    font-variant-numeric: tabular-nums;
    line-height: 1.2;
  }
  .spinner {
    width: 2rem;
    height: 2rem;
    border-radius: 50%;
    border: 3px solid rgb(255 255 255 / 0.25);
    border-top-color: #fff;
    animation: turn 1s linear infinite;
  }
  .big,
  .deed {
    padding: 0 1.25rem 0 1rem;
    background: #fff;
    color: #111;
    font-weight: 650;
    white-space: nowrap;
    box-shadow: 0 4px 20px rgb(0 0 0 / 0.35);
    pointer-events: auto;
  }
  .big {
    position: absolute;
    left: 50%;
    top: 50%;
    transform: translate(-50%, -50%);
  }
  .deed {
    padding: 0 1.25rem;
  }
  .big.sound {
    top: 0.75rem;
    left: 0.75rem;
    transform: none;
  }
  .big:hover,
  .deed:hover {
    background: #ececf1;
  }
  @container (max-height: 9rem) {
    .notice {
      gap: 0.375rem;
      padding: 0.5rem;
    }
    .notice .words span:not(.count) {
      display: none;
    }
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
