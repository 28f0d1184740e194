/** Looks that several elements share. */

import { css } from "lit";

export const theme = css`
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p,
  ul {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
    border: 0;
    background: none;
    min-height: 2.75rem;
    touch-action: manipulation;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  .primary {
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 650;
    border-radius: 0.75rem;
    padding: 0 1.25rem;
  }
  .primary:hover {
    background: var(--accent-strong);
  }
  .primary:disabled,
  .primary[aria-disabled="true"] {
    background: var(--sunk);
    color: var(--quiet);
    cursor: not-allowed;
  }
  .quiet {
    border-radius: 0.75rem;
    padding: 0 1rem;
    color: var(--text);
    background: var(--sunk);
    font-weight: 550;
  }
  select,
  input[type="text"],
  input[type="email"] {
    width: 100%;
    min-width: 0;
    min-height: 2.75rem;
    padding: 0 0.875rem;
    font-size: 1rem; /* smaller makes phones zoom in */
    border: 1px solid var(--line);
    border-radius: 0.75rem;
    background: var(--ground);
  }
  input[aria-invalid="true"] {
    border-color: var(--warn-text);
  }
  .link {
    color: var(--accent-text);
    font-weight: 600;
    padding: 0;
    text-align: start;
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
