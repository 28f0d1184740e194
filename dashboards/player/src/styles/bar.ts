/** The buttons, the volume and the seek bar. */

import { css } from "lit";

export const barStyles = css`
  .bar {
    position: absolute;
    inset: auto 0 0 0;
    padding: 1.5rem 0.625rem 0.625rem;
    background: linear-gradient(transparent, rgb(0 0 0 / 0.72));
    pointer-events: none;
    transition: opacity 0.2s;
  }
  .bar > * {
    pointer-events: auto;
  }
  .idle .bar:not(:focus-within) {
    opacity: 0;
    pointer-events: none;
  }
  .idle .bar:not(:focus-within) > * {
    pointer-events: none;
  }
  .row {
    display: flex;
    align-items: center;
    gap: 0.375rem;
  }
  .gap {
    flex: 1;
  }
  .volume {
    display: none;
    width: 5.5rem;
    accent-color: #fff;
  }
  .edge {
    min-width: auto;
    padding: 0 0.75rem;
    font-size: 0.8125rem;
    font-weight: 700;
    letter-spacing: 0.03em;
    text-transform: uppercase;
    white-space: nowrap;
  }
  .dot {
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: #a3a3ad;
  }
  .edge[data-live="true"] .dot {
    background: #ff5a52;
  }
  .delay {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    text-shadow: 0 1px 3px rgb(0 0 0 / 0.8);
  }
  .seek {
    position: relative;
    display: grid;
    padding: 0 0.25rem;
  }
  .track {
    position: absolute;
    inset: auto 0.25rem auto;
    bottom: 0.875rem;
    width: calc(100% - 0.5rem);
    height: 0.25rem;
    border-radius: 999px;
    stroke: none;
  }
  .rail {
    fill: rgb(255 255 255 / 0.35);
  }
  .done {
    fill: #fff;
  }
  .tick {
    fill: #ffc94d;
  }
  .seek input {
    appearance: none;
    grid-row: 2;
    margin: 0;
    width: 100%;
    height: 2rem;
    background: none;
    cursor: pointer;
  }
  .seek input::-webkit-slider-thumb {
    appearance: none;
    width: 0.875rem;
    height: 0.875rem;
    border-radius: 50%;
    background: #fff;
  }
  .seek input::-moz-range-thumb {
    width: 0.875rem;
    height: 0.875rem;
    border: 0;
    border-radius: 50%;
    background: #fff;
  }
  .time {
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    text-shadow: 0 1px 3px rgb(0 0 0 / 0.8);
  }
  @media (hover: hover) {
    @container (min-width: 34rem) {
      .volume {
        display: block;
      }
    }
  }
  @container (max-width: 26rem) {
    .row {
      gap: 0.25rem;
    }
    .row button {
      min-width: 2.5rem;
    }
    .row .edge {
      padding: 0 0.625rem;
      gap: 0.375rem;
    }
    .delay {
      font-size: 0.75rem;
    }
    .pip {
      display: none;
    }
  }
  @container (max-height: 9rem) {
    .seek {
      display: none;
    }
  }
  .mini .bar {
    padding: 0.5rem;
  }
  @media (prefers-reduced-motion: reduce) {
    .bar {
      transition: none;
    }
  }
`;
