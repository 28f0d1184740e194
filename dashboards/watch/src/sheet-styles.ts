/** The looks of the sheet: from the bottom on a phone, in the middle of a big screen. */

import { css } from "lit";

export const sheetStyles = css`
  dialog {
    position: fixed;
    inset: 0;
    z-index: 100; /* over the page, and below what gateways draw over it */
    width: min(100vw, 28rem);
    max-width: none;
    max-height: 92dvh;
    margin: auto auto 0;
    padding: 0;
    border: 0;
    border-radius: 1.25rem 1.25rem 0 0;
    background: var(--surface);
    color: var(--text);
    overflow-y: auto;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 0.55);
  }
  dialog:not(:modal) {
    box-shadow: 0 0 0 100vmax rgb(0 0 0 / 0.55); /* a backdrop is for modal ones only */
  }
  .sheet {
    padding: 1rem 1.25rem calc(1.25rem + env(safe-area-inset-bottom));
    display: grid;
    grid-template-columns: minmax(0, 1fr); /* a long word must not widen it */
    gap: 1rem;
  }
  .what {
    display: flex;
    align-items: center;
    gap: 0.75rem;
  }
  .what > div {
    flex: 1;
    min-width: 0;
  }
  .what img {
    border-radius: 0.75rem;
    object-fit: cover;
    background: var(--sunk);
  }
  #what:focus {
    outline: none; /* a heading is focused for screen readers only */
  }
  h2 {
    font-size: 1.0625rem;
    line-height: 1.25;
  }
  .price {
    color: var(--quiet);
  }
  .close {
    margin: -0.25rem -0.5rem 0 0;
    min-width: 2.75rem;
    align-self: start;
    border-radius: 999px;
    display: grid;
    place-items: center;
  }
  .close svg {
    width: 1.25rem;
    fill: none;
    stroke: currentcolor;
    stroke-width: 2;
    stroke-linecap: round;
  }
  .reserved {
    background: var(--sunk);
    border-radius: 0.75rem;
    padding: 0.625rem 0.875rem;
  }
  .reserved.soon {
    background: var(--warn-ground);
    color: var(--warn-text);
  }
  form {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.375rem;
  }
  form > label,
  legend {
    font-size: 0.875rem;
    font-weight: 600;
    padding: 0;
  }
  form > input {
    margin-bottom: 0.5rem;
  }
  label.check {
    display: flex;
    gap: 0.5rem;
    align-items: center;
    min-height: 2.75rem;
  }
  .check input {
    width: 1.25rem;
    height: 1.25rem;
    flex: none;
    margin: 0;
    accent-color: var(--accent);
  }
  .means {
    padding: 0.625rem 0.875rem;
    border: 1px solid var(--line);
    border-radius: 0.75rem;
  }
  small {
    display: block;
    color: var(--quiet);
    font-size: 0.8125rem;
  }
  .row {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 2fr);
    gap: 0 0.75rem;
  }
  .row > div,
  form {
    min-width: 0;
  }
  .row > div {
    display: grid;
    gap: 0.375rem;
    align-content: start;
  }
  .row label,
  .row input {
    font-size: 0.875rem;
    font-weight: 600;
  }
  .row input {
    font: inherit;
    margin-bottom: 0.5rem;
  }
  form > select {
    margin-bottom: 0.5rem;
  }
  .why {
    color: var(--warn-text);
    margin-bottom: 0.5rem;
  }
  .ways {
    border: 0;
    margin: 0;
    padding: 0;
    display: grid;
    gap: 0.5rem;
  }
  .ways label {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    gap: 0.75rem;
    min-height: 3.25rem;
    padding: 0.375rem 0.875rem;
    border: 1px solid var(--line);
    border-radius: 0.75rem;
    font-weight: 400;
    cursor: pointer;
  }
  .ways label:has(:checked) {
    border-color: var(--text);
  }
  .ways input {
    width: 1.25rem;
    height: 1.25rem;
    margin: 0;
    accent-color: var(--accent);
  }
  .sums {
    width: 100%;
    border-collapse: collapse;
  }
  .sums th {
    font-weight: 400;
    text-align: start;
  }
  .sums td {
    text-align: end;
  }
  .sums th,
  .sums td {
    padding: 0.1875rem 0;
  }
  .sums .total th,
  .sums .total td {
    font-weight: 650;
    padding-top: 0.375rem;
    border-top: 1px solid var(--line);
  }
  pay-choice {
    margin: 0.5rem 0;
  }
  .next summary {
    min-height: 2.75rem;
    display: flex;
    align-items: center;
    font-weight: 600;
    cursor: pointer;
  }
  .next p {
    margin-bottom: 0.5rem;
    white-space: pre-line;
  }
  a {
    color: var(--accent-text);
  }
  .wide {
    width: 100%;
    min-height: 3.25rem;
    margin-top: 0.625rem;
  }
  .problem {
    background: var(--warn-ground);
    color: var(--warn-text);
    border-radius: 0.75rem;
    padding: 0.625rem 0.875rem;
  }
  .wait {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    min-height: 8rem;
    justify-content: center;
  }
  .spinner {
    width: 1.5rem;
    height: 1.5rem;
    border-radius: 50%;
    border: 3px solid var(--line);
    border-top-color: var(--text);
    animation: turn 1s linear infinite;
  }
  .end {
    padding: 0.5rem 0;
  }
  .wait h3 {
    font-size: 1.125rem;
  }
  .end h3 {
    font-size: 1.375rem;
    margin-bottom: 0.25rem;
  }
  .order {
    white-space: nowrap;
  }
  .good h3 {
    color: var(--good);
  }
  .actions {
    display: grid;
    gap: 0.5rem;
  }
  .actions button {
    min-height: 3.25rem;
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
  @media (min-width: 40rem) {
    dialog {
      margin: auto;
      border-radius: 1.25rem;
    }
  }
`;
