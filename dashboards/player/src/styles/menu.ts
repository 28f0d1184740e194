/** The settings. */

import { css } from "lit";

export const menuStyles = css`
  .menu {
    position: absolute;
    inset: auto 0.625rem 4.25rem auto;
    max-width: calc(100% - 1.25rem);
    max-height: calc(100% - 5rem);
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 0.5rem;
    border-radius: 0.75rem;
    box-sizing: border-box;
    background: rgb(11 11 15 / 0.94);
    font-size: 0.875rem;
  }
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend,
  .heading {
    margin: 0;
    padding: 0.25rem 0.5rem;
    color: #c4c4ce;
    font-size: 0.8125rem;
    font-weight: 600;
  }
  .menu label {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    min-height: 2.5rem;
    padding: 0 0.75rem 0 0.5rem;
    border-radius: 0.5rem;
    cursor: pointer;
    white-space: nowrap;
  }
  .menu label:hover {
    background: rgb(255 255 255 / 0.1);
  }
  .menu input {
    width: 1rem;
    height: 1rem;
    margin: 0;
    accent-color: #fff;
  }
  .menu .chapter {
    display: flex;
    width: 100%;
    min-height: 2.5rem;
    justify-content: flex-start;
    gap: 0.625rem;
    padding: 0 0.75rem 0 0.5rem;
    border-radius: 0.5rem;
    background: none;
    text-align: start;
  }
  .menu .chapter:hover {
    background: rgb(255 255 255 / 0.1);
  }
  .menu .chapter[aria-current] {
    font-weight: 700;
  }
  .menu .chapter:disabled {
    cursor: default;
    color: #b4b4be;
  }
  .number {
    color: #c4c4ce;
    font-variant-numeric: tabular-nums;
  }
`;
